// CRC-16/ARC (polynomial 0x8005 reflected, start 0, no final change; check value of "123456789" is BB3D), as DC-09 frames
// carry it: finds damage, not intent.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tomoshibi::dc09 {

namespace detail {
constexpr std::array<std::uint16_t, 256> crc16_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0xa001u : 0u);
    table[i] = static_cast<std::uint16_t>(c);
  }
  return table;
}
}  // namespace detail

constexpr std::uint16_t crc16(std::string_view text) {
  constexpr auto table = detail::crc16_table();
  unsigned c = 0;
  for (const char ch : text) c = table[(c ^ static_cast<unsigned char>(ch)) & 0xff] ^ (c >> 8);
  return static_cast<std::uint16_t>(c);
}

static_assert(crc16("123456789") == 0xbb3d);

}  // namespace tomoshibi::dc09
