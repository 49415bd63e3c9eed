// Building blocks of what stands in parts.hpp: texts, enums and times. Private to protocol/wire.
#pragma once

#include "protocol/wire/parts.hpp"
#include "protocol/wire/text.hpp"

#include <cstring>
#include <string>

namespace tomoshibi::wire {

template <std::size_t N>
void put_text(const std::string& text, char (&field)[N]) {
  copy_text(text, field, N);
}

// The generated enums have no fixed type, so an unlisted value must not be read as one.
template <class E>
std::uint32_t number_of_enum(const E& e) {
  static_assert(sizeof(E) == sizeof(std::uint32_t));
  std::uint32_t n = 0;
  std::memcpy(&n, &e, sizeof n);
  return n;
}

template <class P, class E>
P as_pb(E e) {
  return static_cast<P>(static_cast<int>(e));
}

// Values 1..last are listed; 0 is protobuf's "unspecified".
template <class E, class P>
bool listed(const P& p, E last, E& out) {
  const std::uint32_t n = number_of_enum(p);
  if (n == 0 || n > static_cast<std::uint32_t>(last)) return false;
  out = static_cast<E>(n);
  return true;
}

inline bool take_time(std::int64_t ms, wall_at& out) {
  if (!time_in_range(ms)) return false;
  out = wall_from_ms(ms);
  return true;
}

}  // namespace tomoshibi::wire
