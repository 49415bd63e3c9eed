// The three-day alert exactly once an episode, at the right slot, and not late.
//
// Two oracles, written anew from docs/ARCHITECTURE.md ("Three-day rule"); they share no code with relay/core.
//   as stored    reads what is stored at the end and counts: which episodes there must be, and which not
//   as it came   counts slots as their commits come: the episode must be in the same commit as the slot that completes it
#pragma once

#include "tools/sim.d/observer.hpp"

#include <map>

namespace tomoshibi::sim {

struct ruled_appliance {
  home_id home{};
  appliance_id appliance{};
  std::uint16_t quiet_days = 3;
  slot_index watched_from;             // the slot in which watching began: counts as a use
  millis early{};                      // a slot may come so long before its end: the gateway's clock may be fast
  bool slots_may_change = false;       // uncertain slots were made again: what was concluded from them stands
};

class alerts_checker final : public observer {
public:
  // `late`: an episode may come so long after the commit of the slot that completes it (reads of the store fail).
  alerts_checker(std::vector<ruled_appliance> rules, millis late);
  void on_committed(const relay::write_batch& batch, wall_at at) override;
  violations finish(relay::store& stored, slot_index through) const;
  std::uint64_t episodes() const { return opened_.size(); }

private:
  struct seen {
    int times = 0;
    relay::episode what;
    bool closed = false;
    std::optional<slot_index> closed_by;
  };
  struct due {                         // what the oracle demands
    slot_index opens_after;            // the slot whose end completes the quiet time
    std::optional<slot_index> closed_by;
  };
  struct counting {                    // one appliance, as it came
    ruled_appliance rule;
    std::vector<std::uint8_t> cells;   // from watched_from; 0 = absent, otherwise a state and whether its time is certain
    slot_index through;
    slot_index since;
    std::int32_t off = 0;
    bool again = false;                // a slot came late: count from the beginning
  };
  using dues = std::map<relay::episode_key, due>;
  void take(counting& c, slot_index slot, slot_state state, bool certain, wall_at at);
  static void take_gap(counting& c, const wire::slot_gap& gap);
  void feed(counting& c, slot_index slot, slot_state state, wall_at at);
  void count_again(counting& c, wall_at at);
  void opened(const relay::episode& e, wall_at at);
  dues oracle(relay::store& stored, slot_index through, const ruled_appliance& rule, violations& all) const;
  void compare(const relay::episode_key& key, const due& d, const ruled_appliance& rule, violations& all) const;

  std::map<std::pair<home_id, appliance_id>, counting> counting_;
  millis late_;
  std::map<relay::episode_key, wall_at> awaited_;      // complete since, not opened
  std::map<relay::episode_key, seen> opened_;          // unused episodes only
  violations violations_;
};

}  // namespace tomoshibi::sim
