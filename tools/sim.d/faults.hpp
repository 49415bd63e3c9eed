// Every kind of fault there is, with its ranges, and the plan drawn from a seed: which kinds this run has (a random
// subset: "swarm"), how often, how long, how bad. A fault has a beginning and an end; the plan is made before the run.
#pragma once

#include "protocol/base/prng.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tomoshibi::sim {

struct options;

enum class fault_kind : std::uint8_t {
  // power and disk of a gateway
  gateway_off,             // the power goes between two turns, and comes back at the end
  gateway_stop,            // stopped in good order, started again at the end
  gateway_cut_at_action,   // the power goes after the `amount`-th thing it does from now on
  gateway_commit_lost,     // ... at its `amount`-th commit, before it is durable
  gateway_commit_unheard,  // ... when it is durable
  gateway_commit_torn,     // ... in the middle of it
  gateway_disk_fails,      // from the `amount`-th commit on, until the end
  gateway_disk_full,
  gateway_reads_fail,
  gateway_row_corrupt,
  gateway_disk_ruined,
  // its clock
  clock_drift,             // the whole run: `amount` ppm fast or slow, and no time service
  clock_battery,           // the whole run: starts with a clock that has forgotten everything
  clock_step,              // wrong by `amount` ms, forward or back, from beginning to end, and sure of it
  // its line
  line_cut,                // both ends notice
  line_half_open,          // one end notices, or nobody
  line_stall,              // nothing passes, nothing is lost
  line_reset,              // breaks in the middle of a frame, at once good again
  line_slow,               // a few messages are late by up to `amount` ms
  // the devices
  device_silent,
  device_off,
  device_garbage,
  device_cut_short,
  device_late,             // by `amount` ms
  device_duplicate,
  device_wrong_tid,
  device_loses,            // what it says is lost on the way
  device_deaf,             // what it is told is lost on the way
  device_no_value,
  device_faulty,           // it reports a fault of its own
  meter_reset,
  meter_swap,              // another device in its place: other identity, other counter
  // everything at once
  mass_cut,                // all lines break, and come back at the same moment
  // the relay
  relay_off,
  relay_stop,              // in good order
  relay_cut_at_action,
  relay_commit_lost,
  relay_commit_unheard,
  relay_commit_torn,
  relay_disk_fails,
  relay_disk_full,
  relay_reads_fail,
  relay_row_corrupt,
  // the mail server
  mail_refused,            // a temporary refusal: tried again
  mail_rejected,           // for good
  mail_delayed,            // by up to `amount` ms
  mail_answer_lost,        // accepted, but the relay does not hear of it
  // the protocol
  fields_dropped,          // the whole run: optional fields are lost on decoding, unknown ones appear
  // the relay's own clock; drawn last, so that older seeds keep their other faults
  relay_clock_drift,       // the whole run: `amount` ppm fast or slow
  relay_clock_step,        // wrong by `amount` ms, forward or back, from beginning to end
  relay_clock_lost,        // off for half of the time, and its clock goes on from where it stood until the end
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(fault_kind::relay_clock_lost) + 1;
std::string_view name_of(fault_kind kind);

struct drawn_fault {
  fault_kind kind{};
  std::uint32_t home = 0;
  mono_time from{};
  mono_time until{};
  std::int64_t amount = 0;
  std::uint32_t per_mille = 1000;
};

struct home_traits {
  std::int32_t drift_ppm = 0;     // > 0: its clock is fast
  bool time_service = true;       // disciplined by somebody
  bool battery = true;            // keeps the calendar without power
};

struct fault_plan {
  std::array<bool, fault_kinds> in_play{};
  std::vector<drawn_fault> faults;
  std::vector<home_traits> traits;          // by home
  millis line_delay_max{};
  millis commit_delay_max{};
  millis mail_delay_max{};
  std::int32_t relay_drift_ppm = 0;         // > 0: its clock is fast
  bool has(fault_kind kind) const { return in_play[static_cast<std::size_t>(kind)]; }
  bool relay_clock_jumps() const { return has(fault_kind::relay_clock_step) || has(fault_kind::relay_clock_lost); }
};
fault_plan draw_plan(const options& opt, prng random);

struct outage {
  mono_time from{};
  mono_time until{};
};
// Stretches in which something is away, drawn one after the other: mean time between them, shortest and longest.
struct outage_habit {
  millis between_mean{};
  millis shortest{};
  millis longest{};
};
std::vector<outage> draw_outages(prng random, const outage_habit& how, mono_time until);

}  // namespace tomoshibi::sim
