// The runs that tools/test and tools/sim make by default: small ones from many seeds, and every seed that ever found
// something. Together they must meet every probe (protocol/base/probe.hpp).
#pragma once

#include "protocol/base/probe.hpp"
#include "tools/sim.d/plan.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::sim {

inline constexpr std::uint64_t default_seeds = 32;  // 1, 2, 3 ...
constexpr options default_run(std::uint64_t seed) { return {.seed = seed, .homes = 3, .days = 8}; }

// Everything at once: what is rare comes together.
inline constexpr std::uint64_t rough_seeds = 4;
constexpr options rough_run(std::uint64_t seed) { return {.seed = seed, .homes = 6, .days = 12, .all_faults = true}; }

// Met by long runs; a small change anywhere may take the one hit of the default set away, so they are told, not demanded.
inline constexpr std::array rarest{probe::clock_assumed, probe::episode_unreadable, probe::mail_waits_for_morning,
                                   probe::catch_up_waited_enough, probe::catch_up_rewrote, probe::slot_future,
                                   probe::outbox_commit_was_there};
constexpr bool is_rarest(probe p) { return std::ranges::find(rarest, p) != rarest.end(); }

// A seed that found a fault stays here, with what it found. Runs are not comparable over changes of the simulator: a found
// fault also has a test of its own beside the code that was wrong.
struct found_seed {
  options run;
  const char* what;
};
inline constexpr std::array<found_seed, 17> found_seeds{{
    {{.seed = 127, .homes = 3, .days = 8}, "checker: a cut while the disk fails takes a meter's last reading back by hours"},
    {{.seed = 1027, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "checker: what a new meter counts is nobody's until the old one has been silent for the gap limit"},
    {{.seed = 1030, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true}, "checker: the same, in use all the while"},
    {{.seed = 7155, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "product: a late answer, overtaken by one to a later try, took the meter back: energy counted twice"},
    {{.seed = 8059, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "product: a report of a device as nobody's made the relay forget, at its next start, that the device is faulty"},
    {{.seed = 7108, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "checker: a step back by more than a day makes slots again, as the end of a step forward does"},
    {{.seed = 7117, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "checker: a log begun anew on a full disk never held anything: the next start knows of no slot to tell"},
    {{.seed = 7123, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "product: what a poll had read was told when all of the poll was answered, up to 50 s later, over what was announced meanwhile"},
    {{.seed = 7064, .homes = 5, .days = 10, .poll_interval_s = 900, .slow_line = true},
     "product: a read that failed when a device was to be told silent was tried again only with the next facts"},
    {{.seed = 960242641519, .homes = 8, .days = 16, .poll_interval_s = 600, .all_faults = true},
     "checker: the power went in the turn in which a log was begun anew, and what that had lost was not noted"},
    {{.seed = 2024, .homes = 6, .days = 10, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "checker: the same"},
    {{.seed = 2030, .homes = 6, .days = 10, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "product: a frame took records along that a failed commit had made durable all the same: their acknowledgement aborted"},
    {{.seed = 700057, .homes = 5, .days = 9, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "simulator: a gateway that was to be stopped while its power was off was never switched on again"},
    {{.seed = 700151, .homes = 5, .days = 9, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "product: a relay that stops asked to be woken, at once and again, for a mail that it does not send any more"},
    {{.seed = 800010, .homes = 5, .days = 9, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "checker: a disk that stays full over a power cut keeps nothing of the next life either"},
    {{.seed = 800092, .homes = 5, .days = 9, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "checker: the same"},
    {{.seed = 800100, .homes = 5, .days = 9, .poll_interval_s = 900, .slow_line = true, .all_faults = true},
     "checker: the same"},
}};

}  // namespace tomoshibi::sim
