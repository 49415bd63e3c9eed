// The runs that tools/test and tools/sim make by default: small ones from many seeds, and every seed that ever found
// something. Together they must meet every probe (protocol/base/probe.hpp).
#pragma once

#include "tools/sim.d/plan.hpp"

#include <array>

namespace tomoshibi::sim {

inline constexpr std::uint64_t default_seeds = 40;  // 1, 2, 3 ...
constexpr options default_run(std::uint64_t seed) { return {.seed = seed, .homes = 3, .days = 8}; }

// A seed that found a fault stays here, with what it found. Runs are not comparable over changes of the simulator: a found
// fault also has a test of its own beside the code that was wrong.
struct found_seed {
  options run;
  const char* what;
};
inline constexpr std::array<found_seed, 1> found_seeds{{
    {{.seed = 127, .homes = 3, .days = 8}, "checker: a cut while the disk fails takes a meter's last reading back by hours"},
}};

}  // namespace tomoshibi::sim
