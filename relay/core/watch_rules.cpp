#include "relay/core/watch_rules.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tomoshibi::relay {
namespace {

slot_index watch_slot_of(const home& h, const appliance& a) { return slot_of(std::max(h.watch_since, a.added)); }

// What of a home decides how it is judged; if it changes, the home is judged anew.
struct settings {
  bool watch_mode;
  wall_at watch_since;
  millis family_after;
  millis provider_after;
  std::vector<std::tuple<appliance_id, std::optional<std::uint16_t>, wall_at>> appliances;
  bool operator==(const settings&) const = default;
};

settings settings_of(const directory& d, home_id id) {
  const home& h = d.homes.at(id);
  settings out{h.watch_mode, h.watch_since, h.blind_family_after, h.blind_provider_after, {}};
  for (auto a = d.appliances.lower_bound({id, appliance_id{}}); a != d.appliances.end() && a->first.first == id; ++a)
    out.appliances.emplace_back(a->first.second, a->second.quiet_days, a->second.added);
  return out;
}

}  // namespace

// ---- beginning and ending to watch

status watch_rules::on_start(turn& t) {
  grace_until_ = t.wall + limits_.blind_grace;
  ahead_ = t.wall - wall_at{t.now.time_since_epoch()};
  started_ = slot_of(t.wall);
  const auto devices = store_.load_devices();
  if (!devices) return std::unexpected(devices.error());
  for (const auto& d : *devices)
    if (d.faulty && d.appliance) faulty_[{d.home, *d.appliance}][d.device] = {.since = d.since, .stored = true};
  const auto marks = store_.load_recounts();
  if (!marks) return std::unexpected(marks.error());
  for (const auto& m : *marks) marks_[{m.home, m.appliance}] = m.from;
  cancel_unwanted(t);
  for (const auto& [id, h] : known_.homes) {
    if (!h.watch_mode) continue;
    if (auto ok = watch(t, h); !ok) return ok;
  }
  forget_marks();
  return {};
}

void watch_rules::on_directory(turn& t, const directory& before) {
  std::vector<home_id> gone;
  for (const auto& [id, h] : homes_)
    if (!known_.homes.contains(id) || !known_.homes.at(id).watch_mode) gone.push_back(id);
  for (home_id id : gone) unwatch(id);
  std::erase_if(faulty_, [this](const auto& f) { return !known_.appliances.contains(f.first); });
  cancel_unwanted(t);
  for (const auto& [id, h] : known_.homes) {
    if (!h.watch_mode) continue;
    if (homes_.contains(id) && before.homes.contains(id) && settings_of(before, id) == settings_of(known_, id)) continue;
    watch_or_try_later(t, h);
  }
  forget_marks();
  forget_devices(t);
}

// `device forget`: a device that was taken away while it was faulty says no more that it is well.
void watch_rules::forget_devices(turn& t) {
  if (faulty_.empty()) return;
  const auto devices = store_.load_devices();
  if (!devices) return told_error(devices.error());  // with the next change
  std::set<std::pair<home_id, std::string>> known;
  for (const auto& d : *devices)
    if (d.faulty) known.emplace(d.home, d.device);
  for (auto& [where, of_appliance] : faulty_) {
    const auto gone = std::erase_if(
        of_appliance, [&](const auto& d) { return d.second.stored && !known.contains({where.first, d.first}); });
    if (gone != 0) judge_fault_of(t, where, t.wall);
  }
}

void watch_rules::on_fault_committed(home_id home, const wire::device_fault& fault) {
  if (!fault.faulty || !fault.appliance) return;
  const auto devices = faulty_.find({home, *fault.appliance});
  if (devices == faulty_.end()) return;
  if (const auto d = devices->second.find(fault.device); d != devices->second.end()) d->second.stored = true;
}

// Half of a past is no past: such a home waits unjudged, and is shown as a failed read, until the store can be read.
void watch_rules::watch_or_try_later(turn& t, const home& h) {
  unwatch(h.id);
  unread_.erase(h.id);
  const auto ok = watch(t, h);
  if (ok) return;
  told_error(ok.error());
  unwatch(h.id);
  unread_.insert(h.id);
  unread_again_ = t.now + limits_.past_retry;
}

status watch_rules::watch(turn& t, const home& h) {
  watched_home& state = homes_[h.id];
  for (auto a = known_.appliances.lower_bound({h.id, appliance_id{}});
       a != known_.appliances.end() && a->first.first == h.id; ++a) {
    watched& w = state.appliances[a->first.second];
    w.watch_slot = watch_slot_of(h, a->second);
    if (a->second.quiet_days) w.judge.emplace(w.watch_slot, *a->second.quiet_days * slots_per_day);
  }
  // All states first: what is concluded about one appliance tells of the others.
  for (auto& [id, w] : state.appliances)
    if (auto ok = load(t, h.id, id, w, state); !ok) return ok;
  for (auto& [id, w] : state.appliances) {
    if (w.judge)
      if (auto ok = judge_again(t, h.id, id, w); !ok) return std::unexpected(ok.error());
    if (w.again_from) recount_from(h.id, state, t.now + limits_.recount_every);  // whether it was told could not be read
    judge_fault(t, h.id, id, w, slot_of(t.wall));
  }
  judge_sight(t, h.id, state);
  return {};
}

void watch_rules::unwatch(home_id id) {
  const auto found = homes_.find(id);
  if (found == homes_.end()) return;
  reschedule(id, found->second, std::nullopt);
  recount_from(id, found->second, std::nullopt);
  homes_.erase(found);
}

// An episode whose reason to be watched was taken away ends without an all-clear.
bool watch_rules::wanted(const episode& e) const {
  const auto h = known_.homes.find(e.key.home);
  if (h == known_.homes.end() || !h->second.watch_mode || e.key.since < slot_of(h->second.watch_since)) return false;
  if (e.key.appliance == appliance_id{}) {
    for (auto a = known_.appliances.lower_bound({e.key.home, {}}); a != known_.appliances.end(); ++a) {
      if (a->first.first != e.key.home) break;
      if (a->second.quiet_days) return true;
    }
    return false;
  }
  const auto a = known_.appliances.find({e.key.home, e.key.appliance});
  if (a == known_.appliances.end()) return false;
  return e.key.kind != episode_kind::unused || a->second.quiet_days.has_value();
}

void watch_rules::cancel_unwanted(turn& t) {
  std::vector<episode_key> unwanted;
  book_.for_each_open([this, &unwanted](const episode& e) {
    if (!wanted(e)) unwanted.push_back(e.key);
  });
  for (const auto& key : unwanted) book_.cancel(t, key);
}

// ---- facts

void watch_rules::on_slot(turn& t, home_id home, const wire::slot_closed& slot) {
  const auto found = homes_.find(home);
  if (found == homes_.end()) return;
  watched_home& h = found->second;
  for (const auto& one : slot.appliances) {
    const auto a = h.appliances.find(one.appliance);
    if (a == h.appliances.end()) continue;
    take(t, home, one.appliance, a->second, slot.slot, one.state);
    if (one.state == slot_state::unknown)
      h.unseen_through = std::max(h.unseen_through.value_or(before_all_slots), slot.slot);
    else if (a->second.judge)
      h.seen_again = std::min(h.seen_again.value_or(slot.slot), slot.slot);
  }
}

void watch_rules::on_gap(turn& t, home_id home, const wire::slot_gap& gap) {
  const auto found = homes_.find(home);
  if (found == homes_.end()) return;
  watched_home& h = found->second;
  const slot_index last = gap.first_slot + static_cast<std::int32_t>(gap.count) - 1;
  for (appliance_id id : gap.appliances) {
    const auto a = h.appliances.find(id);
    if (a == h.appliances.end()) continue;
    // Unknown slots only move the end: they neither count nor end anything, and never replace what is present.
    if (last > a->second.through) take(t, home, id, a->second, last, slot_state::unknown);
  }
  if (gap.reason == wire::gap_reason::gateway_off)
    h.gap_through = std::max(h.gap_through.value_or(before_all_slots), last);
}

// Silence is judged by the slots: what the gateway reports of its devices is kept for the operator.
void watch_rules::on_device(turn&, home_id, const wire::device_report&) {}

void watch_rules::on_fault(turn& t, home_id home, const wire::device_fault& fault, wall_at at) {
  if (fault.faulty) {
    if (!fault.appliance) return;
    faulty_[{home, *fault.appliance}].try_emplace(fault.device, faulty_device{.since = at});
    return judge_fault_of(t, {home, *fault.appliance}, at);
  }
  // It may have been told for another appliance than the one that the device serves now, if it serves one at all.
  for (auto f = faulty_.lower_bound({home, appliance_id{}}); f != faulty_.end() && f->first.first == home; ++f) {
    if (f->second.erase(fault.device) > 0) judge_fault_of(t, f->first, at);
  }
}

void watch_rules::judge_fault_of(turn& t, place where, wall_at at) {
  const auto h = homes_.find(where.first);
  if (h == homes_.end()) return;
  const auto a = h->second.appliances.find(where.second);
  if (a != h->second.appliances.end()) judge_fault(t, where.first, where.second, a->second, slot_of(at));
}

void watch_rules::on_facts_end(turn& t, home_id home) {
  const auto found = homes_.find(home);
  if (found == homes_.end()) return;
  judge_sight(t, home, found->second);
}

void watch_rules::on_wake(turn& t) {
  if (!unread_.empty() && t.now >= unread_again_) {
    for (home_id id : std::exchange(unread_, {})) {
      const auto h = known_.homes.find(id);
      if (h != known_.homes.end() && h->second.watch_mode) watch_or_try_later(t, h->second);
    }
    forget_marks();
  }
  recount(t);
  while (!due_.empty() && due_.begin()->first <= t.wall) {
    const home_id id = due_.begin()->second;
    judge_sight(t, id, homes_.at(id));
  }
}

std::optional<wall_at> watch_rules::next_due() const {
  return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

notices::others watch_rules::others(home_id home, appliance_id except, wall_at now) const {
  notices::others out;
  const auto found = homes_.find(home);
  if (found == homes_.end()) return out;
  for (const auto& [id, a] : found->second.appliances) {
    const auto named = known_.appliances.find({home, id});
    if (id == except || named == known_.appliances.end()) continue;
    out.push_back({.label = named->second.spec.label, .last_use = a.last_on,
                   .visible = seen_now(a.known_through, now, limits_)});
  }
  return out;
}

void watch_rules::told_error(const error& e) {
  ++count_.store_reads_failed;
  log_.error("read_failed", {{"err", name_of(e.code)}, {"detail", e.detail}});
}

}  // namespace tomoshibi::relay
