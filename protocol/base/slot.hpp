// The slot: a quarter of an hour, 96 a day, starting at :00 :15 :30 :45.
//
// A slot is named by its index since 1970-01-01T00:00Z. A moment t belongs to the slot with
// start <= t < start + 15 min. Offsets of home zones are multiples of a slot, so the same slots serve every home.
#pragma once

#include "protocol/base/time.hpp"

#include <compare>
#include <cstdint>

namespace tomoshibi {

inline constexpr millis slot_length = 15min;
inline constexpr int slots_per_day = 96;

struct slot_index {
  std::int32_t value = 0;
  friend constexpr auto operator<=>(slot_index, slot_index) = default;
  constexpr slot_index& operator++() { ++value; return *this; }
  friend constexpr slot_index operator+(slot_index s, std::int32_t n) { return {s.value + n}; }
  friend constexpr slot_index operator-(slot_index s, std::int32_t n) { return {s.value - n}; }
  friend constexpr std::int32_t operator-(slot_index a, slot_index b) { return a.value - b.value; }
};

constexpr slot_index slot_of(wall_at t) {
  return {static_cast<std::int32_t>(std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<900>>>(t)
                                        .time_since_epoch().count())};
}
constexpr wall_at start_of(slot_index s) { return wall_at{s.value * slot_length}; }
constexpr wall_at end_of(slot_index s) { return start_of(s + 1); }

// What a closed slot says of one appliance (plan-2002, 4.1.3).
//   on       it was on at some moment of the slot
//   off      it never was, and no data was missing
//   unknown  data was missing and it was never seen on (the plan's 判定不能); never counts as quiet
enum class slot_state : std::uint8_t { off = 1, on = 2, unknown = 3 };

}  // namespace tomoshibi
