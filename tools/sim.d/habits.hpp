// What a simulated resident does: for each appliance the stretches during which it is in use, made from a seed.
//
// Ordinary days have a few uses at hours that suit the appliance; now and then an appliance, or the whole home, is left
// alone for one to six days, because the three-day rule needs something to find.
#pragma once

#include "protocol/base/prng.hpp"
#include "protocol/base/slot.hpp"

#include <vector>

namespace tomoshibi::sim {

struct use {                      // in use during [from, until)
  wall_at from{};
  wall_at until{};
};

struct habit {
  int uses_per_day = 3;
  millis shortest{30s};
  millis longest{90min};
  int first_hour = 7;             // uses begin between these hours
  int last_hour = 22;
};

// Uses in ascending order, without overlap, all inside [start, start + days).
std::vector<use> live(prng random, const habit& how, wall_at start, int days);

// The slots of [start, start + days) in which the appliance was on at some moment, as far as anybody outside can know:
// word of it travels `later`. This is the truth the product is held to.
std::vector<bool> on_slots(const std::vector<use>& uses, wall_at start, int days, millis later);

}  // namespace tomoshibi::sim
