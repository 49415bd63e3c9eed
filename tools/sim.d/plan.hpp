// What one run of the simulator is: how many homes, how long, and from which seed everything follows.
#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>

namespace tomoshibi::sim {

// After the last fault: everything taken is delivered, every episode is as it should be and told. The longest thing that
// a fault may leave behind is the home that waits a day for a clock's wrong future (ADR 8), and a mail's hourly retry.
inline constexpr millis convergence_budget = 26h;

struct options {
  std::uint64_t seed = 1;
  std::uint32_t homes = 100;
  int days = 30;                    // with faults; then the convergence budget without
  std::uint32_t poll_interval_s = 300;
  bool slow_line = false;           // keep-alive ten times slower at both ends: many homes rather than exact lines
  bool all_faults = false;          // every kind of fault, instead of a random subset
  bool calm = false;                // no fault at all: to measure
  bool progress = false;
  enum class leak : std::uint8_t { nowhere, gateways, relay } leaks = leak::nowhere;  // on purpose, to test the bounds
};

}  // namespace tomoshibi::sim
