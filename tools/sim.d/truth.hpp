// What is truly so in a home, for the checkers: when its appliances were used, what could not be seen and why, what the
// meters counted. Written by the world as faults happen; shares no code with the product.
//
//   may_be_unknown   something was away: the gateway, the devices, what was not durable
//   may_be_absent    what the gateway had made was lost for good (its disk was ruined), or fell into a wrong future
//   disturbed        readings were lost, late or wrong: a use may have been missed, or held for too long
//   clock_doubt      the gateway's calendar was wrong: what it says of a slot is of another time
#pragma once

#include "protocol/base/ids.hpp"
#include "protocol/base/slot.hpp"
#include "tools/sim.d/habits.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace tomoshibi::sim {

// Stretches of the true calendar, in any order; asked seldom.
class stretches {
public:
  void add(wall_at from, wall_at until) { all_.push_back({from, until}); }
  // One whose end is not known yet.
  void begin(wall_at from) { open_from_ = from; }
  void end(wall_at until) {
    if (open_from_) add(*open_from_, until);
    open_from_.reset();
  }
  bool touch(wall_at from, wall_at until) const {
    if (open_from_ && *open_from_ < until) return true;
    for (const auto& s : all_)
      if (s.from < until && from < s.until) return true;
    return false;
  }

private:
  struct stretch {
    wall_at from;
    wall_at until;
  };
  std::vector<stretch> all_;
  std::optional<wall_at> open_from_;
};

// When a state of one appliance reached the running gateway at all. Between two such moments further apart than the gap
// limit, and from a power cut to the next one, nobody could know anything.
class sight {
public:
  void on_arrival(wall_at at, millis gap_limit) {
    if (dark_from_) {
      spans_.push_back({*dark_from_, at});
    } else if (last_ && at - *last_ > gap_limit) {
      spans_.push_back({*last_ + gap_limit, at});
    }
    dark_from_.reset();
    last_ = at;
  }
  void on_power_cut(wall_at at, millis gap_limit) {
    if (!dark_from_ && last_) dark_from_ = std::min(at, *last_ + gap_limit);
    last_.reset();
  }
  // Whether more than `slack` of [from, until), which is past, was without any sight.
  bool blind_in(wall_at from, wall_at until, millis slack, millis gap_limit) const {
    std::optional<wall_at> dark = dark_from_;
    if (!dark && last_) dark = *last_ + gap_limit;
    if (dark && until - std::max(from, *dark) > slack) return true;
    for (auto s = spans_.rbegin(); s != spans_.rend() && s->until > from; ++s)
      if (std::min(s->until, until) - std::max(s->from, from) > slack) return true;
    return false;
  }

private:
  struct span {
    wall_at from;
    wall_at until;
  };
  std::vector<span> spans_;              // ascending, apart
  std::optional<wall_at> last_;          // the newest arrival since the power came
  std::optional<wall_at> dark_from_;     // the power was cut, and nothing has arrived since
};

// Wh since the run began, whatever the counter on the device was set to.
struct meter_truth {
  std::uint64_t before = 0;              // what counters that were reset or taken away had counted
  std::uint64_t lost = 0;                // at most so much nobody could read: around resets
  std::optional<std::uint64_t> lost_from;  // a reset, until the next reading that counts
  std::uint64_t read = 0;                // at the last reading that arrived
  std::uint64_t read_before = 0;         // two earlier ones, at least two slots apart
  std::uint64_t read_long_before = 0;
  wall_at read_before_at{};
  wall_at read_at{};
  std::optional<wall_at> other_heard;    // swapped: when the one before was last heard, as far as the gateway can tell
  bool unbounded_below = false;          // what had been booked was lost with the disk

  // The counter is about to begin at nothing.
  void on_reset(std::uint64_t wh) {
    before = wh;
    if (!lost_from) lost_from = read_long_before;
  }
  void on_swap(std::uint64_t wh) {
    on_reset(wh);
    other_heard = read_at;
  }
  // Energy is of one device at a time, until it is silent for the gap limit: what another one counts until then is nobody's.
  // `named`: the gateway has heard who the device is now; until then it takes it for the one before. `sure`: the reading is
  // believed; one that may not be is taken neither for the end of a loss nor for silence.
  void on_reading(wall_at at, std::uint64_t wh, millis gap_limit, bool named, bool sure) {
    read_at = at;
    if (other_heard && !named) other_heard = at;
    if (sure && other_heard && at - *other_heard > gap_limit) other_heard.reset();
    if (sure && !other_heard && lost_from) {
      lost += wh - *lost_from;
      lost_from.reset();
    }
    // A power cut takes the meter's last reading back to the checkpoint of the slot before.
    if (at - read_before_at > 2 * slot_length) {
      read_long_before = read_before;
      read_before = read;
      read_before_at = at;
    }
    read = wh;
  }
};

struct home_truth {
  stretches may_be_unknown;
  stretches may_be_absent;
  stretches may_be_twice;
  stretches disturbed;
  stretches clock_doubt;
  millis clock_error_max{};              // of a clock that only drifts
  std::vector<sight> seen;               // by appliance
  std::vector<meter_truth> meters;       // by appliance
};

// Whether a use touches [from, until).
bool used_in(const std::vector<use>& uses, wall_at from, wall_at until);

}  // namespace tomoshibi::sim
