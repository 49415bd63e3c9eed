// Counting again what late slots have touched: marked durably, done later, bounded.
#include "relay/core/watch_rules.hpp"

#include <algorithm>
#include <vector>

namespace tomoshibi::relay {
namespace {

// So many waiting writes cost about what a day row costs. Counted as if all were looked through: they are when it is written
// down anew whose they are, otherwise only those of the home (commit_queue).
constexpr std::size_t pending_a_row = 100;

}  // namespace

// The mark is in the batch of the slot that made it: a power cut between a slot and its judgement loses neither.
void watch_rules::mark(turn& t, home_id home, appliance_id id, watched& a, slot_index from) {
  a.again_from = from;
  if (marks_.try_emplace({home, id}, from).second) commits_.add(recount_write{home, id, from});
  watched_home& h = homes_.at(home);
  if (!h.recount_at) recount_from(home, h, std::max(t.now, h.recount_free));
}

void watch_rules::unmark(home_id home, appliance_id id) {
  if (marks_.erase({home, id}) != 0) commits_.add(recount_write{home, id, std::nullopt});
}

// Of appliances that are no longer judged. A home whose past could not be read keeps its marks.
void watch_rules::forget_marks() {
  std::vector<place> gone;
  for (const auto& [where, from] : marks_) {
    if (unread_.contains(where.first)) continue;
    const auto h = homes_.find(where.first);
    const bool judged = h != homes_.end() && h->second.appliances.contains(where.second) &&
                        h->second.appliances.at(where.second).judge;
    if (!judged) gone.push_back(where);
  }
  for (const auto& [home, id] : gone) unmark(home, id);
}

void watch_rules::recount_from(home_id id, watched_home& h, std::optional<mono_time> at) {
  if (h.recount_at) recounts_.erase({*h.recount_at, id});
  h.recount_at = at;
  h.recounted = appliance_id{};
  if (at) recounts_.insert({*at, id});
}

mono_time watch_rules::next_recount() const {
  return recounts_.empty() ? never : std::max(recounts_.begin()->first, recount_rests_until_);
}

// Homes in the order in which they are due; a turn ends with the appliance that uses up its rows.
void watch_rules::recount(turn& t) {
  if (t.now < recount_rests_until_) return;
  std::size_t rows = 0;
  while (!recounts_.empty() && recounts_.begin()->first <= t.now) {
    if (rows >= limits_.recount_rows_per_turn) {
      recount_rests_until_ = t.now + limits_.recount_rest;
      return;
    }
    const home_id id = recounts_.begin()->second;
    rows += recount_next(t, id, homes_.at(id));
  }
}

// One marked appliance, or the end of the home's round. What failed, or was marked behind us, waits for the next round.
std::size_t watch_rules::recount_next(turn& t, home_id id, watched_home& h) {
  for (auto a = h.appliances.upper_bound(h.recounted); a != h.appliances.end(); ++a) {
    if (!a->second.again_from) continue;
    h.recounted = a->first;
    const auto rows = judge_again(t, id, a->first, a->second);
    if (!rows) told_error(rows.error());
    return rows.value_or(0) + commits_.pending() / pending_a_row + 1;
  }
  h.recount_free = t.now + limits_.recount_every;
  const bool left = std::ranges::any_of(h.appliances, [](const auto& a) { return a.second.again_from.has_value(); });
  recount_from(id, h, left ? std::optional{h.recount_free} : std::nullopt);
  return 1;
}

}  // namespace tomoshibi::relay
