// The three-day rule at work: slots as they come, and again from the store.
#include "relay/core/watch_rules.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::relay {
namespace {

template <class T>
void raise(std::optional<T>& field, T value) {
  if (!field || *field < value) field = value;
}

}  // namespace

void watch_rules::take(turn& t, home_id home, appliance_id id, watched& a, slot_index slot, slot_state state) {
  if (state != slot_state::unknown) raise(a.known_through, slot);
  if (state == slot_state::on) raise(a.last_on, slot);
  const bool late = slot <= a.through;
  a.through = std::max(a.through, slot);
  if (!a.judge) return;
  // Before the last use nothing can change the stretch that counts; the last use itself can be corrected away.
  if (late && slot + 1 >= a.judge->since() && !a.again_from) {
    hit(probe::slot_late);
    mark(t, home, id, a, a.judge->since());
  }
  if (!a.again_from && !late) conclude(t, home, id, a, a.judge->feed(slot, state));
}

status watch_rules::load(turn& t, home_id home, appliance_id id, watched& a, watched_home& h) {
  cell_view cells{store_, commits_, home, id};
  const auto past = look_back(cells, a.watch_slot, limits_.history_days_max);
  if (!past) return std::unexpected(past.error());
  if (past->through) a.through = *past->through;
  // A slot of the far future (the clock was wrong then) must not make all that comes look late.
  a.through = std::min(a.through, slot_of(t.wall) + limits_.future_slots_max);
  a.known_through = past->known_through;
  a.last_on = past->last_on;
  if (past->gap_through) raise(h.gap_through, *past->gap_through);
  if (!a.judge) return {};  // an appliance without a rule is seen, never judged
  a.again_from = a.through + 1;
  if (const auto marked = marks_.find({home, id}); marked != marks_.end())
    a.again_from = std::min(*a.again_from, marked->second);
  return {};
}

// From the last use before the slots in question. Inside an open episode nothing before it is looked at again: the
// family was told, and only a use ends it.
result<std::size_t> watch_rules::judge_again(turn& t, home_id home, appliance_id id, watched& a) {
  TOMO_REQUIRE(a.judge.has_value());
  cell_view cells{store_, commits_, home, id};
  quiet_judge judge{a.watch_slot, a.judge->off_needed()};
  slot_index from = a.watch_slot + 1;
  if (const episode* open = book_.open_about(home, episode_kind::unused, id)) {
    judge.begin_inside(open->key.since, open->last_use);
    from = open->key.since;
  } else {
    const slot_index before = a.again_from.value_or(a.through + 1);
    const auto last_use = last_on_before(cells, before, a.watch_slot, limits_.history_days_max);
    if (!last_use) return std::unexpected(last_use.error());
    if (*last_use) {
      judge.begin_after(**last_use);
      from = **last_use + 1;
    }
  }
  // Nothing in the store is older than it can be read back: a stretch is never counted from further away.
  from = std::max(from, a.through - limits_.history_days_max * slots_per_day);
  a.judge = judge;
  const auto asked = std::exchange(a.again_from, std::nullopt);  // set again by a conclusion that could not be drawn
  const auto fed = feed_forward(cells, *a.judge, from, a.through,
                                [&, this](const quiet_verdict& v) { conclude(t, home, id, a, v); });
  if (!fed) {
    a.again_from = asked;
    return std::unexpected(fed.error());
  }
  if (!a.again_from) unmark(home, id);
  return cells.days_read();
}

void watch_rules::conclude(turn& t, home_id home, appliance_id id, watched& a, const quiet_verdict& v) {
  if (const auto* opened = std::get_if<quiet_opened>(&v)) {
    conclude_opened(t, {.home = home, .kind = episode_kind::unused, .appliance = id, .since = opened->since}, a, *opened);
  } else if (const auto* closed = std::get_if<quiet_closed>(&v)) {
    const episode* open = book_.open_about(home, episode_kind::unused, id);
    if (open && open->key.since == closed->since) book_.close(t, open->key, closed->by, others(home, id, t.wall));
  }
}

// A stretch that was told before is not told again. If its episode has ended already, counting begins anew behind that end:
// behind the use that ended it, though that may have been corrected since, or where a setting ended it.
void watch_rules::conclude_opened(turn& t, const episode_key& key, watched& a, const quiet_opened& v) {
  const auto found = book_.find(key);
  if (!found) {  // told before or not? To guess could tell it twice
    hit(probe::episode_unreadable);
    mark(t, key.home, key.appliance, a, key.since);
    return;
  }
  if (const auto& known = *found) {
    if (known->closed) a.judge->count_after(known->closed_by.value_or(slot_of(*known->closed)));
    return;
  }
  episode e;
  e.key = key;
  e.last_use = v.last_use;
  e.off_slots = v.off_slots;
  e.unknown_slots = v.unknown_slots;
  e.opened = t.wall;
  book_.open(t, e, others(key.home, key.appliance, t.wall));
}

}  // namespace tomoshibi::relay
