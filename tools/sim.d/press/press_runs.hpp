// The runs of presses that tools/test and tools/sim make by default, and every seed that found something.
#pragma once

#include "tools/sim.d/press/press_world.hpp"

#include <array>

namespace tomoshibi::sim {

inline constexpr std::uint64_t press_seeds = 48;        // 1, 2, 3 ... with a random subset of the faults
inline constexpr std::uint64_t press_rough_seeds = 24;  // with all of them

struct found_press_seed {
  press_options run;
  const char* what;
};
inline constexpr std::array<found_press_seed, 2> found_press_seeds{{
    {{.seed = 193}, "product: a box whose full disk lost that the centre has its press was "
                      "told only that the report is closed, and called for ever"},
    {{.seed = 23, .all_faults = true}, "product: the same"},
}};

// One line for the run, and one for each thing found, to standard output. False: something was.
bool tell_press_run(const press_options& opt, bool twice);
// The default set. False: something was found, or one of the rare things never came.
bool run_default_presses();

}  // namespace tomoshibi::sim
