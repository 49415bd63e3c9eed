// What waits to be handed out one at a time: by rank, and of a rank homes take turns, so that one thing of a home never waits for
// sixty of another. Of one home and rank: first come, first served.
#pragma once

#include "protocol/base/ids.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace tomoshibi::relay {

inline constexpr std::uint32_t rank_urgent = 0;
inline constexpr std::uint32_t rank_calm = 1;

template <class Id>
class turn_queue {
public:
  struct place {
    std::uint32_t rank = 0;                    // the lowest goes first
    Id id{};
  };

  // One that waits already keeps its place.
  void put(std::uint32_t rank, home_id home, const Id& id) {
    const line at{rank, home};
    if (!lines_of_.emplace(id, std::pair{at, ++last_}).second) return;
    auto& waiting = lines_[at];
    if (waiting.empty()) queue_up(at, waiting);
    waiting.things.emplace(last_, id);
  }
  void remove(const Id& id) {
    const auto found = lines_of_.find(id);
    if (found == lines_of_.end()) return;
    const auto [at, order] = found->second;
    lines_of_.erase(found);
    const auto waiting = lines_.find(at);
    waiting->second.things.erase(order);
    if (!waiting->second.empty()) return;
    turns_.erase({at.rank, waiting->second.turn});
    lines_.erase(waiting);
  }

  bool empty() const { return turns_.empty(); }
  std::size_t size() const { return lines_of_.size(); }
  place front() const {                        // only if not empty
    const line& at = turns_.begin()->second;
    return {at.rank, lines_.at(at).things.begin()->second};
  }
  // The front leaves; its home comes again after all others of the rank that wait now.
  void pop() {
    const line at = turns_.begin()->second;
    remove(front().id);
    const auto more = lines_.find(at);
    if (more == lines_.end()) return;
    turns_.erase({at.rank, more->second.turn});
    queue_up(at, more->second);
  }
  void clear() { *this = {}; }

private:
  struct line {
    std::uint32_t rank;
    home_id home;
    auto operator<=>(const line&) const = default;
  };
  struct waiting_line {
    std::uint64_t turn = 0;
    std::map<std::uint64_t, Id> things;        // by order of coming
    bool empty() const { return things.empty(); }
  };
  void queue_up(const line& at, waiting_line& waiting) {
    waiting.turn = ++last_turn_;
    turns_.emplace(std::pair{at.rank, waiting.turn}, at);
  }

  std::map<line, waiting_line> lines_;         // none is empty
  std::map<std::pair<std::uint32_t, std::uint64_t>, line> turns_;
  std::map<Id, std::pair<line, std::uint64_t>> lines_of_;
  std::uint64_t last_ = 0;
  std::uint64_t last_turn_ = 0;
};

}  // namespace tomoshibi::relay
