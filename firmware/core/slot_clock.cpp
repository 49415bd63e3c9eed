#include "firmware/core/slot_clock.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

namespace tomoshibi::firmware {

wall_at slot_clock::wall(mono_time at) const {
  TOMO_REQUIRE(known());
  return wall_at{at.time_since_epoch() + offset_};
}

std::optional<wall_at> slot_clock::guess(mono_time at) const {
  if (state_ == state::unknown) return {};
  return wall_at{at.time_since_epoch() + offset_};
}

mono_time slot_clock::mono(wall_at at) const {
  TOMO_REQUIRE(known());
  return mono_time{at.time_since_epoch() - offset_};
}

mono_time slot_clock::next_wake() const {
  return state_ == state::waiting ? waiting_since_ + plausible_wait : never;
}

slot_clock::change slot_clock::set(mono_time now, wall_at told, state to) {
  const millis offset = told.time_since_epoch() - now.time_since_epoch();
  change out;
  const bool had = known();
  if (had) out.step = offset - offset_;
  out.synced = to == state::synced && state_ != state::synced;
  offset_ = offset;
  if (to == state::waiting && state_ != state::waiting) waiting_since_ = now;
  state_ = to;
  out.known = !had && known();
  return out;
}

slot_clock::change slot_clock::on_system(mono_time now, const system_clock_reading& clock,
                                         std::optional<wall_at> made_until) {
  if (!believable(clock.at)) return {};
  if (clock.disciplined) {
    disciplined_at_ = now;
    return set(now, clock.at, state::synced);
  }
  if (state_ == state::synced) return {};
  if (made_until && clock.at < *made_until) return {};
  return set(now, clock.at, state_ == state::assumed ? state::assumed : state::waiting);
}

slot_clock::change slot_clock::on_relay(mono_time now, wall_at told, millis round_trip) {
  if (round_trip < 0ms || round_trip > relay_round_trip_max) return {};
  const wall_at at = told + round_trip / 2;
  if (!believable(at)) return {};
  if (disciplined_at_ && now - *disciplined_at_ <= disciplined_fresh) return {};
  if (synced()) {
    const millis off = std::chrono::abs(at - wall(now));
    if (off <= relay_tolerance + round_trip / 2) return {};
  }
  return set(now, at, state::synced);
}

slot_clock::change slot_clock::on_wake(mono_time now) {
  if (state_ != state::waiting || now < waiting_since_ + plausible_wait) return {};
  hit(probe::clock_assumed);
  state_ = state::assumed;
  change out;
  out.known = true;
  return out;
}

}  // namespace tomoshibi::firmware
