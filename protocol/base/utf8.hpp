// Where a text in UTF-8 may be cut.
#pragma once

#include <cstddef>
#include <string_view>

namespace tomoshibi {

// How many of its first bytes, at most `bytes_max`, end between two characters.
constexpr std::size_t whole_characters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return end;
}

}  // namespace tomoshibi
