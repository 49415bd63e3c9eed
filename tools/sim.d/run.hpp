// One checked run: the world, its checkers, and what they found.
#pragma once

#include "tools/sim.d/disk.hpp"
#include "tools/sim.d/observer.hpp"
#include "tools/sim.d/plan.hpp"
#include "tools/sim.d/world.hpp"

namespace tomoshibi::sim {

struct report {
  run_statistics counts;
  std::uint64_t slots_told = 0;
  std::uint64_t unknown_told = 0;
  std::uint64_t alerts = 0;
  std::uint64_t blind = 0;
  std::uint64_t silent = 0;
  std::uint64_t faulty = 0;
  std::uint64_t acks = 0;
  std::uint64_t energy_wh = 0;
  std::string faults;          // names of the kinds this run had
  violations found;
};

report run_checked(const options& opt);                       // stores in memory
report run_checked(const options& opt, disk_factory& disks);

}  // namespace tomoshibi::sim
