// A set of property codes 0x80..0xFF and its wire form, a property map (EPC 0x9D announced, 0x9E settable, 0x9F gettable).
// Source: specification Ver.1.14 part 2, appendix 1.
//
//   form 1  count n <= 15, then n codes
//   form 2  count n >= 16, then 16 bytes: byte k, bit j set = code (8 + j) << 4 | k
//
// The count byte of a received map is never trusted: real nodes send a count that differs from their bits.
#pragma once

#include "drivers/echonet/eoj.hpp"
#include "protocol/base/bytes.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace tomoshibi::drivers::echonet {

class property_map {
public:
  constexpr property_map() = default;
  constexpr property_map(std::initializer_list<epc_code> codes) {
    for (const epc_code c : codes) insert(c);
  }

  // Nothing if the value is empty. Codes below 0x80 are dropped.
  static std::optional<property_map> decode(byte_view edt);
  void encode(bytes& out) const;  // 1..17 bytes

  constexpr void insert(epc_code c) {
    if (c >= 0x80) words_[c >> 6 & 1] |= bit_of(c);
  }
  constexpr bool contains(epc_code c) const { return c >= 0x80 && (words_[c >> 6 & 1] & bit_of(c)) != 0; }
  constexpr std::size_t size() const {
    return static_cast<std::size_t>(std::popcount(words_[0]) + std::popcount(words_[1]));
  }
  constexpr bool empty() const { return size() == 0; }
  friend constexpr bool operator==(const property_map&, const property_map&) = default;

private:
  static constexpr std::uint64_t bit_of(epc_code c) { return std::uint64_t{1} << (c & 63); }
  std::uint64_t words_[2] = {0, 0};  // 0x80..0xBF, 0xC0..0xFF
};

}  // namespace tomoshibi::drivers::echonet
