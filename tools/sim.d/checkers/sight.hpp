// Honest "cannot see" notices: blind_provider, blind_family, device_silent, device_fault. Not too early, not missing, closed
// when sight is back and not before. Written anew from docs/ARCHITECTURE.md ("Blind", "Silent, faulty") over what was
// committed, in the order of the commits.
//
// Notices follow the relay's clock: where it is wrong, they are judged by it. What was judged by the clock before it was set
// becomes durable a little later, so for half an hour behind a step (and while its commits fail) nobody asks what is still open.
//
// Missing is only what a relay that ran, and could commit, for long enough ought to have opened: after a start it may keep
// still for a while, and while its store fails what it does is not durable.
#pragma once

#include "tools/sim.d/observer.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace tomoshibi::sim {

struct watched_home {
  slot_index watched_from;
  millis blind_provider_after{};
  millis blind_family_after{};
  std::vector<bool> ruled;             // by appliance, the first has number 1
};

class sight_checker final : public observer {
public:
  // `slack`: how much later than due a notice may come.
  sight_checker(std::vector<watched_home> homes, millis slack);
  void on_committed(const relay::write_batch& batch, wall_at at) override;
  void on_commit_failed(wall_at at) override;
  void on_relay_up(wall_at at) override;
  void on_relay_down(wall_at at) override { end_able(at + relay_wrong_by_); }
  void on_relay_clock(wall_at at, millis wrong_by) override;
  violations finish(wall_at end);
  std::uint64_t blind() const { return blind_; }
  std::uint64_t silent() const { return silent_; }
  std::uint64_t faulty() const { return faulty_; }

private:
  struct appliance {
    std::optional<slot_index> known;
    std::optional<relay::episode_key> silent;
    std::optional<relay::episode_key> fault;
    std::set<std::string> faulty;      // devices that say so
  };
  struct home {
    watched_home what;
    std::vector<appliance> appliances;
    std::optional<relay::episode_key> blind_provider;
    std::optional<relay::episode_key> blind_family;
    wall_at provider_free{};           // since when no such episode is open
    wall_at family_free{};
    std::optional<wall_at> seen_from;   // its newest known slot is "now", since
  };
  struct span {
    wall_at from;                      // judging may begin: for a start behind its time of grace
    wall_at until;
  };
  void end_able(wall_at at);
  // For how long, up to `until`, a relay that could have opened something due at `due` did not.
  bool must_have_opened(wall_at due, wall_at until) const;
  static std::optional<slot_index> known_of(const home& h, bool ruled_only);
  slot_index unseen_since(const home& h, std::optional<slot_index> known) const;
  slot_index first_untold(relay::episode_key key, slot_index since) const;
  void take_known(home& h, std::size_t i, slot_index slot, wall_at at);
  void judge_blind_missing(const home& h, wall_at until);
  void judge(home& h, wall_at at);
  void opened(const relay::episode& e, wall_at at);
  void closed(const relay::episode_close_write& c, wall_at at);
  std::optional<relay::episode_key>* place_of(const relay::episode_key& key);
  void found(const std::string& what, const relay::episode_key& key, wall_at at);

  std::vector<home> homes_;
  std::map<relay::episode_key, wall_at> ended_;  // and when
  millis slack_;
  std::vector<span> able_;             // past, ascending
  std::optional<wall_at> able_from_;
  wall_at grace_until_{};
  violations violations_;
  millis relay_wrong_by_{};
  std::optional<wall_at> settles_;     // of the relay's clock, after it was set
  std::uint64_t blind_ = 0, silent_ = 0, faulty_ = 0;
};

}  // namespace tomoshibi::sim
