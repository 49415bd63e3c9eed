#include "tools/sim.d/checkers/sight.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

using relay::episode_kind;
constexpr millis grace = 15min;            // after a start, or when its clock was set forward, the relay calls nobody blind
constexpr std::int32_t lag_slots = 2;      // sight is "now" if the newest known slot is at most so old
constexpr millis unseen_min = 45min;
constexpr millis settling = 30min;         // after the relay's clock was set

bool is_now(std::optional<slot_index> known, wall_at at) { return known && *known >= slot_of(at) - lag_slots; }

}  // namespace

sight_checker::sight_checker(std::vector<watched_home> homes, millis slack) : slack_(slack) {
  for (watched_home& h : homes) {
    home& added = homes_.emplace_back();
    added.appliances.resize(h.ruled.size());
    added.what = std::move(h);
  }
}

void sight_checker::found(const std::string& what, const relay::episode_key& key, wall_at at) {
  if (violations_.size() >= violations_max) return;
  violations_.push_back(std::string{relay::name_of(key.kind)} + " " + what + ": home " +
                        std::to_string(static_cast<std::uint32_t>(key.home)) + " appliance " +
                        std::to_string(static_cast<int>(key.appliance)) + " since " + std::to_string(key.since.value) +
                        ", at " + std::to_string((at - start_of(key.since)).count() / 60'000) + " min after");
}

// ---- when the relay could

void sight_checker::on_relay_up(wall_at at) {
  at += relay_wrong_by_;
  grace_until_ = at + grace;
  able_from_ = at;
}

void sight_checker::on_commit_failed(wall_at at) {
  at += relay_wrong_by_;
  if (settles_ && at < *settles_) settles_ = at + settling;
  end_able(at);
}

// Being able begins anew: how long it ought to have acted is counted on one clock.
void sight_checker::on_relay_clock(wall_at at, millis wrong_by) {
  const bool able = able_from_.has_value();
  end_able(at + relay_wrong_by_);
  const bool forward = wrong_by > relay_wrong_by_;
  relay_wrong_by_ = wrong_by;
  at += wrong_by;
  grace_until_ = forward ? at + grace : std::min(grace_until_, at + grace);
  if (able) able_from_ = at;
  settles_ = at + settling;
  for (home& h : homes_)
    if (h.seen_from) h.seen_from = at;
}

void sight_checker::end_able(wall_at at) {
  if (able_from_ && std::max(*able_from_, grace_until_) < at) able_.push_back({std::max(*able_from_, grace_until_), at});
  able_from_.reset();
}

bool sight_checker::must_have_opened(wall_at due, wall_at until) const {
  if (able_from_ && std::max({*able_from_, grace_until_, due}) + slack_ < until) return true;
  for (auto s = able_.rbegin(); s != able_.rend() && s->until > due; ++s)
    if (std::max(s->from, due) + slack_ < std::min(s->until, until)) return true;
  return false;
}

// ---- what came

std::optional<slot_index> sight_checker::known_of(const home& h, bool ruled_only) {
  std::optional<slot_index> known;
  for (std::size_t i = 0; i < h.appliances.size(); ++i)
    if (h.what.ruled[i] || !ruled_only) known = std::max(known, h.appliances[i].known);
  return known;
}

slot_index sight_checker::unseen_since(const home& h, std::optional<slot_index> known) const {
  return known ? std::max(*known + 1, h.what.watched_from) : h.what.watched_from;
}

void sight_checker::judge_blind_missing(const home& h, wall_at until) {
  const slot_index since = unseen_since(h, known_of(h, true));
  const auto index = static_cast<std::uint32_t>(&h - homes_.data());
  for (const auto& [kind, after, open, free_from] :
       {std::tuple{episode_kind::blind_provider, h.what.blind_provider_after, &h.blind_provider, h.provider_free},
        std::tuple{episode_kind::blind_family, h.what.blind_family_after, &h.blind_family, h.family_free}}) {
    const wall_at due = std::max(start_of(since) + std::max(after, unseen_min), free_from);
    if (!*open && must_have_opened(due, until))
      found("missing", {.home = home_id{index}, .kind = kind, .appliance = {}, .since = since}, until);
  }
}

void sight_checker::take_known(home& h, std::size_t i, slot_index slot, wall_at at) {
  appliance& a = h.appliances[i];
  if (a.known && slot <= *a.known) return;
  if (h.what.ruled[i] && slot > known_of(h, true).value_or(slot - 1)) judge_blind_missing(h, at);
  a.known = slot;
}

std::optional<relay::episode_key>* sight_checker::place_of(const relay::episode_key& key) {
  home& h = homes_[static_cast<std::uint32_t>(key.home)];
  const auto i = static_cast<std::size_t>(key.appliance);
  switch (key.kind) {
    case episode_kind::blind_provider: return &h.blind_provider;
    case episode_kind::blind_family: return &h.blind_family;
    case episode_kind::device_silent: return &h.appliances[i - 1].silent;
    case episode_kind::device_fault: return &h.appliances[i - 1].fault;
    case episode_kind::unused: return nullptr;
  }
  return nullptr;
}

// A clock that was ahead and is set right ends a notice without a new slot: the next one begins where that one ended.
slot_index sight_checker::first_untold(relay::episode_key key, slot_index since) const {
  key.since = since;
  for (auto e = ended_.find(key); e != ended_.end(); e = ended_.find(key)) key.since = std::max(key.since + 1, slot_of(e->second));
  return key.since;
}

void sight_checker::opened(const relay::episode& e, wall_at at) {
  auto* const place = place_of(e.key);
  if (!place) return;
  if (*place) found("opened beside another", e.key, at);
  *place = e.key;
  home& h = homes_[static_cast<std::uint32_t>(e.key.home)];
  if (e.key.kind == episode_kind::device_fault) {
    ++faulty_;
    if (h.appliances[static_cast<std::size_t>(e.key.appliance) - 1].faulty.empty()) found("without a fault", e.key, at);
    return;
  }
  const bool silent = e.key.kind == episode_kind::device_silent;
  ++(silent ? silent_ : blind_);
  const auto known = silent ? h.appliances[static_cast<std::size_t>(e.key.appliance) - 1].known : known_of(h, true);
  const millis after = e.key.kind == episode_kind::blind_provider ? h.what.blind_provider_after : h.what.blind_family_after;
  if (e.opened < start_of(e.key.since) + std::max(after, unseen_min)) found("too early", e.key, e.opened);
  if (e.key.since != first_untold(e.key, unseen_since(h, known)))
    found("of a slot that is known, or not the first unknown", e.key, e.opened);
}

void sight_checker::closed(const relay::episode_close_write& c, wall_at at) {
  auto* const place = place_of(c.key);
  if (!place) return;
  if (*place != c.key) found("closed, but was not open", c.key, at);
  place->reset();
  ended_[c.key] = c.closed;
  home& h = homes_[static_cast<std::uint32_t>(c.key.home)];
  if (c.key.kind == episode_kind::device_fault) {
    if (!h.appliances[static_cast<std::size_t>(c.key.appliance) - 1].faulty.empty()) found("closed, the fault stands", c.key, at);
    return;
  }
  if (c.key.kind == episode_kind::blind_provider) h.provider_free = c.closed;
  if (c.key.kind == episode_kind::blind_family) h.family_free = c.closed;
  const bool silent = c.key.kind == episode_kind::device_silent;
  const auto known = silent ? h.appliances[static_cast<std::size_t>(c.key.appliance) - 1].known : known_of(h, true);
  if (!is_now(known, c.closed)) found("closed without sight", c.key, c.closed);
}

void sight_checker::on_committed(const relay::write_batch& batch, wall_at at) {
  at += relay_wrong_by_;
  if (settles_ && at >= *settles_) settles_.reset();
  if (!able_from_) able_from_ = at;
  std::set<home_id> touched;
  for (const relay::write& w : batch) {
    if (const auto* s = std::get_if<relay::slots_write>(&w)) {
      home& h = homes_[static_cast<std::uint32_t>(s->home)];
      for (const auto& a : s->slot.appliances)
        if (a.state != slot_state::unknown) take_known(h, static_cast<std::size_t>(a.appliance) - 1, s->slot.slot, at);
      touched.insert(s->home);
    } else if (const auto* o = std::get_if<relay::episode_open_write>(&w)) {
      opened(o->what, at);
    } else if (const auto* c = std::get_if<relay::episode_close_write>(&w)) {
      closed(*c, at);
    } else if (const auto* f = std::get_if<relay::fault_write>(&w); f && f->fault.appliance) {
      auto& devices = homes_[static_cast<std::uint32_t>(f->home)].appliances[static_cast<std::size_t>(*f->fault.appliance) - 1].faulty;
      if (f->fault.faulty) devices.insert(f->fault.device);
      else devices.erase(f->fault.device);
      touched.insert(f->home);
    }
  }
  if (settles_) return;
  for (const home_id id : touched) judge(homes_[static_cast<std::uint32_t>(id)], at);
}

// After a commit with facts about this home: what sight there is now must show in the episodes.
void sight_checker::judge(home& h, wall_at at) {
  const auto index = home_id{static_cast<std::uint32_t>(&h - homes_.data())};
  if (is_now(known_of(h, true), at))
    for (const auto* open : {&h.blind_provider, &h.blind_family})
      if (*open) found("still open, though seen", **open, at);
  const bool seen = is_now(known_of(h, false), at);
  if (!seen) h.seen_from.reset();
  else if (!h.seen_from) h.seen_from = at;
  for (std::size_t i = 0; i < h.appliances.size(); ++i) {
    appliance& a = h.appliances[i];
    const appliance_id id{static_cast<std::uint16_t>(i + 1)};
    if (a.fault.has_value() != !a.faulty.empty())
      found(a.fault ? "still open, though well" : "missing",
            {.home = index, .kind = episode_kind::device_fault, .appliance = id, .since = slot_of(at)}, at);
    if (is_now(a.known, at)) {
      if (a.silent) found("still open, though seen", *a.silent, at);
      continue;
    }
    if (!seen || a.silent) continue;
    const slot_index since = unseen_since(h, a.known);
    const wall_at due = std::max(start_of(since) + h.what.blind_family_after, grace_until_);
    // While the home is not seen nobody is called silent: where reads may fail, the next facts are the next try.
    if (slack_ > slot_length && *h.seen_from + slack_ >= at) continue;
    if (able_from_ && due + slack_ < at && *able_from_ + slack_ < at)
      found("missing", {.home = index, .kind = episode_kind::device_silent, .appliance = id, .since = since}, at);
  }
}

violations sight_checker::finish(wall_at end) {
  for (home& h : homes_) {
    judge_blind_missing(h, end);
    for (const auto* open : {&h.blind_provider, &h.blind_family})
      if (*open) found("still open at the end", **open, end);
    for (const appliance& a : h.appliances)
      if (a.silent) found("still open at the end", *a.silent, end);
  }
  return violations_;
}

}  // namespace tomoshibi::sim
