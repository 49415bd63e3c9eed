// One run of the simulator: how many homes, how long, and the faults drawn for it. Everything follows from the seed.
#pragma once

#include "protocol/base/prng.hpp"
#include "protocol/base/time.hpp"

#include <cstdint>
#include <vector>

namespace tomoshibi::sim {

struct options {
  std::uint64_t seed = 1;
  std::uint32_t homes = 100;
  int days = 30;                    // with faults; then `calm_days` without, for everything to be delivered
  int calm_days = 1;
  std::uint32_t poll_interval_s = 300;
  bool slow_line = false;           // keep-alive ten times slower at both ends: many homes rather than exact lines
  bool progress = false;
};

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

struct fault_weights {              // drawn for each run: some runs are calm, some are rough ("swarm")
  outage_habit line;
  outage_habit gateway;
  outage_habit relay;
  std::uint32_t commit_fails_per_mille = 0;
  std::uint32_t mail_refused_per_mille = 0;
  std::uint32_t datagram_lost_per_mille = 0;
  millis line_delay_max{};
  millis commit_delay_max{};
};
fault_weights draw_weights(prng random);

}  // namespace tomoshibi::sim
