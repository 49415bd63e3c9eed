// The presses of the simulator: what a run is, every kind of fault that presses meet, and the plan drawn from a seed.
//
// A world of its own beside the world of slots (world.hpp): boxes with a button, one relay's emergency part, one guard centre,
// the lines between them. Slots and presses share nothing in the product but the machine (ADR 12), so nothing is lost by that.
#pragma once

#include "protocol/base/prng.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tomoshibi::sim {

enum class press_fault : std::uint8_t {
  box_off,          // the power goes
  box_cut,          // ... after the `amount`-th thing that the box does from a press on
  relay_off,
  relay_cut,
  guard_off,
  guard_cut,
  lane_cut,         // both ends notice
  lane_half_open,   // nobody does, nothing passes
  lane_slow,        // messages are late by up to `amount` ms
  direct_cut,
  direct_half_open,
  direct_slow,
  link_cut,         // relay to guard centre
  link_half_open,
  link_slow,
  loss,             // of all lines: 30 % of what is sent comes later, by doubling repetitions
  box_disk_full,
  relay_disk_fails,
  box_clock,        // wrong by an hour
  relay_clock,
  guard_misbehaves, // NAK, DUH, silence, wrong answers
  forger,           // frames are swallowed, old acknowledgements come back
};
inline constexpr std::size_t press_faults = static_cast<std::size_t>(press_fault::forger) + 1;
std::string_view name_of(press_fault kind);

// A part that lies, to show that the checker finds it.
enum class press_lie : std::uint8_t {
  none,
  relay_forgets,    // what the relay called durable is gone with its power
  guard_forgets,    // what the guard centre acknowledged is gone with its power
  ack_believed,     // any answer ends an event
};

struct press_options {
  std::uint64_t seed = 1;
  std::uint32_t homes = 3;
  int hours = 12;               // with faults; then press_quiet without
  bool all_faults = false;
  bool calm = false;
  press_lie lie = press_lie::none;
};
// A refused event is tried again after a minute, a half-open line found after 50 s, a silent centre asked each 30 s; an answer
// of an hour's wrong clock costs no more than the next try.
inline constexpr millis press_quiet = std::chrono::minutes{30};

struct drawn_press_fault {
  press_fault kind{};
  std::uint32_t home = 0;
  mono_time from{};
  mono_time until{};
  std::int64_t amount = 0;
};
struct press_plan {
  std::array<bool, press_faults> in_play{};
  std::vector<drawn_press_fault> faults;
  bool direct = true;           // the boxes have a direct path
  millis delay_max{};
  bool has(press_fault kind) const { return in_play[static_cast<std::size_t>(kind)]; }
};
press_plan draw_press_plan(const press_options& opt, prng random);

}  // namespace tomoshibi::sim
