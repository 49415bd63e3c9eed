// Blind, silent, faulty: what keeps us from judging.
#include "relay/core/watch_rules.hpp"

#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

constexpr int ended_before_max = 16;  // how many ended episodes with neighbouring keys are stepped over

std::optional<wall_at> earlier(std::optional<wall_at> a, std::optional<wall_at> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

void watch_rules::judge_sight(turn& t, home_id id, watched_home& h) {
  const home& where = known_.homes.at(id);
  const auto blind_due = judge_blind(t, where, h);
  reschedule(id, h, earlier(blind_due, judge_silent(t, where, h)));
}

// ---- the home

// Answers, as judge_silent() does, when to look again if nothing is heard until then.
std::optional<wall_at> watch_rules::judge_blind(turn& t, const home& where, watched_home& h) {
  std::optional<slot_index> known;
  std::optional<slot_index> watched_from;
  for (const auto& [id, a] : h.appliances) {
    if (!a.judge) continue;
    known = std::max(known, a.known_through);
    watched_from = std::min(watched_from.value_or(a.watch_slot), a.watch_slot);
  }
  if (!watched_from) return std::nullopt;  // no rule, nothing that cannot be judged

  const slot_index since = unseen_since(known, *watched_from);
  const bool seen = seen_now(known, t.wall, limits_);
  std::optional<wall_at> due;
  for (const auto& [kind, after] : {std::pair{episode_kind::blind_provider, where.blind_provider_after},
                                    std::pair{episode_kind::blind_family, where.blind_family_after}}) {
    const episode* open = book_.open_about(where.id, kind, appliance_id{});
    if (open && seen) {
      const slot_index by = std::clamp(h.seen_again.value_or(*known), std::min(open->key.since, *known), *known);
      book_.close(t, open->key, by, others(where.id, appliance_id{}, t.wall));
      open = nullptr;
    }
    if (!open) due = earlier(due, open_if_due(t, where, kind, appliance_id{}, since, after));
  }
  if (seen) h.seen_again.reset();
  return due;
}

// Set forward: what is due at once may be on its way, put off until now (ADR 13). That is given as long as after a start.
void watch_rules::look_at_clock(const turn& t) {
  constexpr millis step_min = 1min;
  const millis ahead = t.wall - wall_at{t.now.time_since_epoch()};
  if (ahead - ahead_ >= step_min) grace_until_ = t.wall + limits_.blind_grace;
  grace_until_ = std::min(grace_until_, t.wall + limits_.blind_grace);
  ahead_ = ahead;
}

// Opens the episode if its time has come; otherwise answers when that will be. An episode with this key that has ended
// already (a rule was removed and set again) makes the time begin anew where that one ended.
std::optional<wall_at> watch_rules::open_if_due(turn& t, const home& where, episode_kind kind, appliance_id id,
                                                slot_index since, millis after) {
  look_at_clock(t);
  for (int i = 0; i < ended_before_max; ++i) {
    const wall_at due = std::max(unseen_due(since, after, limits_), grace_until_);
    if (t.wall < due) {
      if (due == grace_until_) hit(probe::blind_waits_for_grace);
      return due;
    }
    const episode_key key{.home = where.id, .kind = kind, .appliance = id, .since = since};
    const auto found = book_.find(key);
    if (!found) return t.wall + limits_.past_retry;  // told before or not? To guess could tell it twice
    const auto& known = *found;
    if (!known) {
      episode e;
      e.key = key;
      e.cause = cause_for(key);
      e.opened = t.wall;
      book_.open(t, e, others(where.id, id, t.wall));
      return std::nullopt;
    }
    if (!known->closed) return std::nullopt;
    since = std::max(since + 1, slot_of(*known->closed));
  }
  return std::nullopt;
}

void watch_rules::reschedule(home_id id, watched_home& h, std::optional<wall_at> due) {
  if (h.due == due) return;
  if (h.due) due_.erase({*h.due, id});
  h.due = due;
  if (due) due_.insert({*due, id});
}

blind_cause watch_rules::cause_for(const episode_key& key) const {
  if (key.kind == episode_kind::device_silent) return blind_cause::device_silent;
  const watched_home& h = homes_.at(key.home);
  const auto& boxes = world_.by_home.gateways_of(key.home);
  return cause_of({.since = key.since,
                   .has_gateway = !boxes.empty(),
                   .line_up = std::ranges::any_of(boxes, [this](const auto& id) { return lines_.line_up(id); }),
                   .gateway_off = h.gap_through,
                   .devices_unseen = h.unseen_through,
                   .relay_off_until = started_});
}

// ---- the appliances

// Judged only while the home is seen: otherwise the home is blind, and that is another notice.
std::optional<wall_at> watch_rules::judge_silent(turn& t, const home& where, watched_home& h) {
  std::optional<slot_index> known;
  for (const auto& [id, a] : h.appliances) known = std::max(known, a.known_through);
  if (!seen_now(known, t.wall, limits_)) return std::nullopt;
  std::optional<wall_at> due;
  for (const auto& [id, a] : h.appliances) {
    const episode* open = book_.open_about(where.id, episode_kind::device_silent, id);
    if (seen_now(a.known_through, t.wall, limits_)) {
      if (open) book_.close(t, open->key, *a.known_through, others(where.id, id, t.wall));
    } else if (!open) {
      due = earlier(due, open_if_due(t, where, episode_kind::device_silent, id, unseen_since(a.known_through, a.watch_slot),
                                     where.blind_family_after));
    }
  }
  return due;
}

void watch_rules::judge_fault(turn& t, home_id home, appliance_id id, const watched& a, slot_index now) {
  const auto devices = faulty_.find({home, id});
  const bool faulty = devices != faulty_.end() && !devices->second.empty();
  const episode* open = book_.open_about(home, episode_kind::device_fault, id);
  if (!faulty && open) return book_.close(t, open->key, std::max(now, open->key.since), others(home, id, t.wall));
  if (!faulty || open) return;

  wall_at first = devices->second.begin()->second.since;
  for (const auto& [device, state] : devices->second) first = std::min(first, state.since);
  episode e;
  e.key = {.home = home, .kind = episode_kind::device_fault, .appliance = id,
           .since = std::max(slot_of(first), a.watch_slot)};
  e.opened = t.wall;
  for (int i = 0; i < ended_before_max; ++i, ++e.key.since) {
    // A read that fails counts as not told: nothing would bring us back here, and a fault must not be kept silent.
    const auto known = book_.find(e.key).value_or(std::nullopt);
    if (!known) return book_.open(t, e, others(home, id, t.wall));
    if (!known->closed) return;
  }
}

}  // namespace tomoshibi::relay
