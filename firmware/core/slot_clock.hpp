// What time is it? Monotonic time to calendar time, from sources of different worth.
//
//   unknown   no source has been believed
//   waiting   the machine's clock is undisciplined but plausible; a better source is waited for until `plausible_wait`
//   assumed   the wait is over: the plausible clock is used, slots are marked uncertain
//   synced    the relay or a disciplined machine clock has told the time; stays so (the monotonic clock drifts by
//             seconds a day at most) and is corrected by each further word of a trusted source
//
// Between two words of a source the calendar runs with the monotonic clock. A disciplined machine clock outranks the
// relay, whose word carries the line's delay: it is heeded only when the former is not there.
#pragma once

#include "firmware/core/gateway.hpp"
#include "protocol/base/slot.hpp"
#include "protocol/base/time.hpp"

#include <optional>

namespace tomoshibi::firmware {

inline constexpr millis plausible_wait = 10min;
// A correction of so much makes a slot uncertain and an event; less is drift.
inline constexpr millis clock_step_min = 2s;
// The relay's word is not used if its answer took longer than this, and corrects nothing within its own uncertainty.
inline constexpr millis relay_round_trip_max = 10s;
inline constexpr millis relay_tolerance = 1s;
// A disciplined machine clock outranks the relay for so long after its last word.
inline constexpr millis disciplined_fresh = 5min;
// 2100-01-01: a clock beyond is broken, whoever says it.
inline constexpr wall_at wall_latest = wall_from_ms(4'102'444'800'000);

class slot_clock {
public:
  struct change {
    bool known = false;   // there was no usable time before, now there is
    bool synced = false;  // first trusted time since start
    millis step{0};       // the calendar was corrected by so much (0 if there was none before)
  };

  explicit slot_clock(wall_at built) : earliest_(built) {}

  // `made_until`: end of the last slot made; an undisciplined clock before it is not plausible.
  change on_system(mono_time now, const system_clock_reading& clock, std::optional<wall_at> made_until);
  change on_relay(mono_time now, wall_at told, millis round_trip);
  change on_wake(mono_time now);

  bool known() const { return state_ == state::assumed || state_ == state::synced; }
  bool synced() const { return state_ == state::synced; }
  wall_at wall(mono_time at) const;           // only if known()
  std::optional<wall_at> guess(mono_time at) const;  // also while waiting
  mono_time mono(wall_at at) const;           // only if known()
  mono_time next_wake() const;

private:
  enum class state : std::uint8_t { unknown, waiting, assumed, synced };
  change set(mono_time now, wall_at told, state to);
  bool believable(wall_at at) const { return at >= earliest_ && at < wall_latest; }

  wall_at earliest_;
  state state_ = state::unknown;
  millis offset_{0};                          // wall = mono + offset
  mono_time waiting_since_{};
  std::optional<mono_time> disciplined_at_;
};

}  // namespace tomoshibi::firmware
