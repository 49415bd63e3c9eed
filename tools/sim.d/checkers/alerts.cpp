#include "tools/sim.d/checkers/alerts.hpp"

#include <set>

namespace tomoshibi::sim {
namespace {

constexpr std::uint8_t certain_time = 0x80;

std::string describe(const relay::episode_key& k) {
  return "home " + std::to_string(static_cast<std::uint32_t>(k.home)) + " appliance " +
         std::to_string(static_cast<int>(k.appliance)) + " since " + std::to_string(k.since.value);
}

}  // namespace

alerts_checker::alerts_checker(std::vector<ruled_appliance> rules, millis late) : late_(late) {
  for (ruled_appliance& r : rules) {
    counting& c = counting_[{r.home, r.appliance}];
    c.through = r.watched_from;
    c.since = r.watched_from + 1;
    c.rule = r;
  }
}

// ---- as it came

void alerts_checker::on_committed(const relay::write_batch& batch, wall_at at) {
  std::set<std::pair<home_id, appliance_id>> again;
  for (const relay::write& w : batch) {
    if (const auto* s = std::get_if<relay::slots_write>(&w)) {
      for (const auto& a : s->slot.appliances) {
        const auto c = counting_.find({s->home, a.appliance});
        if (c == counting_.end()) continue;
        take(c->second, s->slot.slot, a.state, !s->slot.time_uncertain, at);
        if (c->second.again) again.insert(c->first);
      }
    } else if (const auto* g = std::get_if<relay::gap_write>(&w)) {
      for (const appliance_id a : g->gap.appliances)
        if (const auto c = counting_.find({g->home, a}); c != counting_.end()) take_gap(c->second, g->gap);
    } else if (const auto* o = std::get_if<relay::episode_open_write>(&w)) {
      opened(o->what, at);
    } else if (const auto* c = std::get_if<relay::episode_close_write>(&w)) {
      if (c->key.kind != relay::episode_kind::unused) continue;
      seen& ended = opened_[c->key];
      ended.closed = true;
      ended.closed_by = c->closed_by;
    }
  }
  for (const auto& who : again) count_again(counting_.at(who), at);
  for (auto a = awaited_.begin(); a != awaited_.end();) {
    if (at - a->second <= late_) {
      ++a;
      continue;
    }
    violations_.push_back("alert late: " + describe(a->first));
    a = awaited_.erase(a);
  }
}

void alerts_checker::opened(const relay::episode& e, wall_at at) {
  if (e.key.kind != relay::episode_kind::unused) return;
  seen& s = opened_[e.key];
  ++s.times;
  s.what = e;
  const auto awaited = awaited_.find(e.key);
  if (awaited == awaited_.end()) return;
  if (at - awaited->second > late_) violations_.push_back("alert late: " + describe(e.key));
  awaited_.erase(awaited);
}

void alerts_checker::take(counting& c, slot_index slot, slot_state state, bool certain, wall_at at) {
  if (slot <= c.rule.watched_from) return;
  const auto i = static_cast<std::size_t>(slot - c.rule.watched_from);
  if (c.cells.size() <= i) c.cells.resize(i + 1);
  const std::uint8_t held = c.cells[i];
  const bool stands = held != 0 && ((held & certain_time) != 0 || !certain);
  if (stands) return;
  c.cells[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(state) | (certain ? certain_time : 0));
  if (slot > c.through && !c.again) {
    c.through = slot;
    feed(c, slot, state, at);
  } else {
    c.again = true;
    c.through = std::max(c.through, slot);
  }
}

// Fills what is absent; nobody saw anything, so nothing is counted.
void alerts_checker::take_gap(counting& c, const wire::slot_gap& gap) {
  for (std::uint32_t n = 0; n < gap.count; ++n) {
    const slot_index slot = gap.first_slot + static_cast<std::int32_t>(n);
    if (slot <= c.rule.watched_from) continue;
    const auto i = static_cast<std::size_t>(slot - c.rule.watched_from);
    if (c.cells.size() <= i) c.cells.resize(i + 1);
    if (c.cells[i] != 0) continue;
    c.cells[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(slot_state::unknown) | (gap.time_uncertain ? 0 : certain_time));
  }
}

void alerts_checker::feed(counting& c, slot_index slot, slot_state state, wall_at at) {
  if (state == slot_state::on) {
    c.off = 0;
    c.since = slot + 1;
  } else if (state == slot_state::off && ++c.off == c.rule.quiet_days * slots_per_day) {
    const relay::episode_key key{c.rule.home, relay::episode_kind::unused, c.rule.appliance, c.since};
    if (!opened_.contains(key) && !c.rule.slots_may_change) awaited_.try_emplace(key, at);
  }
}

void alerts_checker::count_again(counting& c, wall_at at) {
  c.again = false;
  c.off = 0;
  c.since = c.rule.watched_from + 1;
  for (std::size_t i = 1; i < c.cells.size(); ++i) {
    const auto state = static_cast<slot_state>(c.cells[i] & ~certain_time);
    if (c.cells[i] != 0) feed(c, c.rule.watched_from + static_cast<std::int32_t>(i), state, at);
  }
}

// ---- as stored

alerts_checker::dues alerts_checker::oracle(relay::store& stored, slot_index through, const ruled_appliance& rule,
                                            violations& all) const {
  dues out;
  const std::int32_t needed = rule.quiet_days * slots_per_day;
  slot_index since = rule.watched_from + 1;
  std::int32_t off = 0;
  due* open = nullptr;
  std::optional<relay::day_cells> cells;
  relay::utc_day day{};
  for (slot_index s = since; s <= through; ++s) {
    if (!cells || relay::day_of(s) != day) {
      day = relay::day_of(s);
      auto read = stored.read_day(rule.home, rule.appliance, day);
      if (!read) {
        all.push_back("stored day cannot be read: " + read.error().detail);
        return out;
      }
      cells = *read;
    }
    const auto& cell = (*cells)[static_cast<std::size_t>(s - relay::first_slot_of(day))];
    if (!cell.present || cell.state == slot_state::unknown) continue;
    if (cell.state == slot_state::on) {
      if (open) open->closed_by = s;
      open = nullptr;
      off = 0;
      since = s + 1;
    } else if (++off == needed) {
      const relay::episode_key key{rule.home, relay::episode_kind::unused, rule.appliance, since};
      open = &(out[key] = due{s, std::nullopt});
    }
  }
  return out;
}

void alerts_checker::compare(const relay::episode_key& key, const due& d, const ruled_appliance& rule,
                             violations& all) const {
  const auto it = opened_.find(key);
  if (it == opened_.end()) {
    if (!rule.slots_may_change) all.push_back("alert missing: " + describe(key));
    return;
  }
  const seen& s = it->second;
  if (s.what.opened + rule.early < end_of(d.opens_after)) all.push_back("alert too early: " + describe(key));
  if (s.closed_by != d.closed_by && !rule.slots_may_change) all.push_back("all-clear differs: " + describe(key));
}

violations alerts_checker::finish(relay::store& stored, slot_index through) const {
  violations all = violations_;
  std::set<relay::episode_key> expected;
  for (const auto& [who, c] : counting_) {
    for (const auto& [key, d] : oracle(stored, through, c.rule, all)) {
      expected.insert(key);
      compare(key, d, c.rule, all);
    }
  }
  for (const auto& [key, s] : opened_) {
    if (s.times != 1) all.push_back("alert made " + std::to_string(s.times) + " times: " + describe(key));
    const auto c = counting_.find({key.home, key.appliance});
    const bool excused = (c != counting_.end() && c->second.rule.slots_may_change) || s.what.opened > end_of(through);
    if (!expected.contains(key) && !excused) all.push_back("alert not due: " + describe(key));
  }
  return all;
}

}  // namespace tomoshibi::sim
