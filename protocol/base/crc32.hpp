// CRC-32 (ISO 3309, the one of Ethernet and zlib; check value of "123456789" is CBF43926): finds damage, not intent.
#pragma once

#include "protocol/base/bytes.hpp"

#include <array>
#include <cstdint>

namespace tomoshibi {

namespace detail {
constexpr std::array<std::uint32_t, 256> crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0xedb88320u : 0u);
    table[i] = c;
  }
  return table;
}
}  // namespace detail

constexpr std::uint32_t crc32(byte_view data, std::uint32_t former = 0) {
  constexpr auto table = detail::crc32_table();
  std::uint32_t c = ~former;
  for (const std::uint8_t b : data) c = table[(c ^ b) & 0xff] ^ (c >> 8);
  return ~c;
}

}  // namespace tomoshibi
