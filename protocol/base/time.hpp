// Time as the cores see it: always an argument, never a call.
//
// `mono_time` is for intervals and deadlines, `wall_at` for the calendar (UTC, milliseconds since 1970-01-01).
// Neither clock type has a now(): only a shell can read a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace tomoshibi {

using millis = std::chrono::milliseconds;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

struct mono_clock {
  using rep = millis::rep;
  using period = millis::period;
  using duration = millis;
  using time_point = std::chrono::time_point<mono_clock>;
  static constexpr bool is_steady = true;
};

// Milliseconds since an arbitrary start (boot of the machine, start of a simulation). Never steps.
using mono_time = mono_clock::time_point;

// The same clock to the microsecond, for delays that are told. A mono_time is one as well.
using mono_exact = std::chrono::time_point<mono_clock, std::chrono::microseconds>;
constexpr mono_time to_mono(mono_exact t) { return std::chrono::floor<millis>(t); }

// "No deadline": what next_wake() answers when nothing is waited for.
inline constexpr mono_time never = mono_time::max();

// A point on the calendar, UTC. May step when a clock is corrected.
using wall_at = std::chrono::sys_time<millis>;

// A calendar reading together with how far it may be trusted.
struct wall_time {
  wall_at at{};
  bool synced = false;  // true once a trusted source (relay, NTP-disciplined system clock) has set it
  friend bool operator==(const wall_time&, const wall_time&) = default;
};

constexpr mono_time mono_from_ms(std::int64_t ms) { return mono_time{millis{ms}}; }
constexpr std::int64_t to_ms(mono_time t) { return t.time_since_epoch().count(); }
constexpr wall_at wall_from_ms(std::int64_t ms) { return wall_at{millis{ms}}; }
constexpr std::int64_t to_ms(wall_at t) { return t.time_since_epoch().count(); }

}  // namespace tomoshibi
