#include "protocol/wire/text.hpp"

#include <algorithm>
#include <cstdint>

namespace tomoshibi::wire {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

struct lead {
  std::size_t size;             // 0 = cannot begin a character
  std::uint8_t second_low;      // allowed range of the second byte: excludes overlong forms, surrogates, > U+10FFFF
  std::uint8_t second_high;
};

lead lead_of(std::uint8_t b) {
  if (b != 0 && b < 0x80) return {1, 0, 0};
  if (b >= 0xc2 && b <= 0xdf) return {2, 0x80, 0xbf};
  if (b == 0xe0) return {3, 0xa0, 0xbf};
  if (b == 0xed) return {3, 0x80, 0x9f};
  if (b >= 0xe1 && b <= 0xef) return {3, 0x80, 0xbf};
  if (b == 0xf0) return {4, 0x90, 0xbf};
  if (b >= 0xf1 && b <= 0xf3) return {4, 0x80, 0xbf};
  if (b == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

std::size_t character_size(std::string_view text) {
  const lead l = lead_of(byte_at(text, 0));
  if (l.size <= 1 || text.size() < l.size) return l.size == 1 ? 1 : 0;
  if (byte_at(text, 1) < l.second_low || byte_at(text, 1) > l.second_high) return 0;
  for (std::size_t i = 2; i < l.size; ++i)
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  return l.size;
}

void copy_text(std::string_view text, char* out, std::size_t size) {
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t n = character_size(text);
    const std::size_t step = std::max<std::size_t>(n, 1);
    if (used + step >= size) break;
    if (n == 0) out[used] = '?';
    else std::copy_n(text.begin(), n, out + used);
    used += step;
    text.remove_prefix(step);
  }
  out[used] = '\0';
}

}  // namespace tomoshibi::wire
