// Text from outside made safe to show in one line of a mail or a page.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

// One code point of `text` at `at`, or the length of the bad bytes there.
struct utf8_step {
  char32_t code = 0;
  std::size_t length = 1;  // bytes taken, 1..4
  bool valid = false;      // false: overlong, surrogate, beyond U+10FFFF, cut off or stray byte
};
utf8_step utf8_at(std::string_view text, std::size_t at);

bool valid_utf8(std::string_view text);

// Nothing that a reader would see: empty, or white space of any script and what has no width, only.
bool blank(std::string_view text);

// Valid UTF-8 without anything that ends a line, moves the cursor or turns the direction of writing around: bad bytes
// become U+FFFD; control characters, line and paragraph separators and bidirectional controls become one blank. NUL too.
std::string one_line(std::string_view text);

// The same for text of several lines: LF is kept (CRLF and CR become LF), tab too.
std::string plain_lines(std::string_view text);

}  // namespace tomoshibi::relay
