// Texts on the wire: UTF-8 without zero bytes, at most a given number of bytes. Private to protocol/wire.
#pragma once

#include <cstddef>
#include <string_view>

namespace tomoshibi::wire {

// Bytes of the character that `text` (not empty) begins with; 0 if it is not well-formed UTF-8 (RFC 3629) or is U+0000.
std::size_t character_size(std::string_view text);

// Copies whole characters as long as they and a final zero fit into `size` bytes; what is not UTF-8 becomes '?'.
void copy_text(std::string_view text, char* out, std::size_t size);

}  // namespace tomoshibi::wire
