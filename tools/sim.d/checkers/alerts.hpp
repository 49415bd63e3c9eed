// The three-day alert exactly once an episode, at the right slot, with exactly one mail for each recipient and edge.
//
// The oracle is written anew here from docs/ARCHITECTURE.md ("Three-day rule"): it reads what is stored at the end and
// counts; it shares no code with relay/core.
#pragma once

#include "tools/sim.d/observer.hpp"

#include <map>

namespace tomoshibi::sim {

struct ruled_appliance {
  home_id home{};
  appliance_id appliance{};
  std::uint16_t quiet_days = 3;
  slot_index watched_from;             // the slot in which watching began: counts as a use
  std::uint32_t recipients = 0;        // family contacts of the home
};

class alerts_checker final : public observer {
public:
  void on_committed(const relay::write_batch& batch) override;
  void on_mail_accepted(const relay::mail& what, wall_at at) override;

  violations finish(relay::store& stored, slot_index through, const std::vector<ruled_appliance>& rules) const;
  std::uint64_t episodes() const { return opened_.size(); }
  std::uint64_t mails() const { return accepted_.size(); }

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
  std::map<relay::episode_key, due> oracle(relay::store& stored, slot_index through, const ruled_appliance& rule,
                                           violations& all) const;
  void compare(const relay::episode_key& key, const due& d, const ruled_appliance& rule, violations& all) const;

  std::map<relay::episode_key, seen> opened_;          // unused episodes only
  std::map<relay::mail_key, int> queued_;
  std::map<relay::mail_key, int> accepted_;
};

}  // namespace tomoshibi::sim
