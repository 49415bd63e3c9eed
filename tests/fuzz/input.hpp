// What the fuzzer gives, taken apart into values: the alphabet that structured harnesses are written in. After the last
// byte every value is zero, so that a short input is a whole one.
#pragma once

#include "protocol/base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace tomoshibi::fuzz {

class input {
public:
  input(const std::uint8_t* data, std::size_t size) : in_({data, size}) {}

  bool left() const { return in_.left() > 0; }
  std::uint8_t u8() { return in_.u8(); }
  std::uint16_t u16() { return in_.u16(); }
  std::uint32_t u32() { return in_.u32(); }
  std::uint64_t u64() { return std::uint64_t{in_.u32()} << 32 | in_.u32(); }
  bool flag() { return (in_.u8() & 1) != 0; }
  std::uint32_t below(std::uint32_t bound) { return (bound <= 0x100 ? in_.u8() : in_.u32()) % bound; }
  // Small and huge numbers alike: the first byte says how many bits count.
  std::uint64_t number() {
    const unsigned bits = in_.u8() % 65u;
    const std::uint64_t all = u64();
    return bits == 64 ? all : all & ((std::uint64_t{1} << bits) - 1);
  }
  template <class E>
  E any_of(E last) { return static_cast<E>(1 + below(static_cast<std::uint32_t>(last))); }  // of an enum that begins at 1

  byte_view part(std::size_t size_max) {
    const std::size_t wanted = size_max <= 0xff ? in_.u8() % (size_max + 1) : in_.u16() % (size_max + 1);
    return in_.take(std::min(wanted, in_.left()));
  }
  std::string text(std::size_t size_max) { return std::string{as_text(part(size_max))}; }
  byte_view rest() { return in_.take(in_.left()); }

private:
  byte_reader in_;
};

}  // namespace tomoshibi::fuzz
