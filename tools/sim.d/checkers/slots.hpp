// Every slot exactly once, and true.
//
//   once   over all commits, each slot of a home is told exactly once, by a closed slot or by a gap, without a hole
//   true   ON only if the appliance truly was on in that slot; OFF only if it truly was not, and could be seen all the
//          time; UNKNOWN only where the plan of faults says that data was truly missing
//
// What is excused, and why, is the truth's to say (truth.hpp).
#pragma once

#include "tools/sim.d/observer.hpp"

#include <functional>

namespace tomoshibi::sim {

class slots_checker final : public observer {
public:
  struct truth {
    std::function<bool(std::uint32_t home, appliance_id, slot_index)> may_be_on;
    std::function<bool(std::uint32_t home, appliance_id, slot_index)> may_be_off;
    std::function<bool(std::uint32_t home, appliance_id, slot_index)> could_be_seen;  // all the time
    std::function<bool(std::uint32_t home, slot_index)> may_be_unknown;
    std::function<bool(std::uint32_t home, slot_index)> may_be_absent;
    std::function<bool(std::uint32_t home, slot_index)> may_be_twice;
  };
  slots_checker(std::uint32_t homes, slot_index first, truth t);

  void on_committed(const relay::write_batch& batch, wall_at at) override;
  // `through`: every home must have told all its slots up to and including this one.
  violations finish(slot_index through) const;
  std::uint64_t slots_told() const { return slots_told_; }
  std::uint64_t unknown_told() const { return unknown_told_; }

private:
  void tell(home_id home, slot_index slot);
  void check(std::uint32_t home, slot_index slot, const wire::appliance_slot& a);
  void found(std::string line);

  slot_index first_;
  truth truth_;
  std::vector<std::vector<std::uint8_t>> times_told_;  // [home][slot - first]
  violations violations_;
  std::uint64_t slots_told_ = 0;
  std::uint64_t unknown_told_ = 0;
};

}  // namespace tomoshibi::sim
