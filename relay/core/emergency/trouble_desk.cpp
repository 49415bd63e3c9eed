#include "relay/core/emergency/trouble_desk.hpp"

#include "protocol/dc09/press_signal.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::relay {
namespace {

constexpr millis rate_of = 1h;

// Nothing: the centre is not told of it, only the provider.
std::optional<dc09::signal> signal_of(trouble_kind kind) {
  switch (kind) {
    case trouble_kind::button_stuck: return dc09::signal{dc09::event::supervision_lost, dc09::edge::begun, 0, dc09::zone_button_stuck};
    case trouble_kind::button_silent: return dc09::signal{dc09::event::supervision_lost, dc09::edge::begun, 0, dc09::zone_button_silent};
    case trouble_kind::mains_lost: return dc09::signal{dc09::event::mains_lost, dc09::edge::begun, 0, dc09::zone_power};
    case trouble_kind::battery_low: return dc09::signal{dc09::event::battery_low, dc09::edge::begun, 0, dc09::zone_power};
    case trouble_kind::press_not_saved:
    case trouble_kind::direct_path_down: return std::nullopt;
  }
  return std::nullopt;
}

// FNV-1a: one number for the key of a trouble, the same after every restart.
std::uint64_t number_of(const trouble_row& r) {
  std::uint64_t hash = 14695981039346656037u;
  const std::string text = r.gateway.text() + '/' + std::to_string(static_cast<int>(r.kind)) + '/' + r.button + '/' +
                           std::to_string(to_ms(r.since));
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace

std::vector<trouble_row> trouble_desk::of(const gateway_id& gateway) const {
  std::vector<trouble_row> out;
  const auto first = f_.rows.troubles.from({gateway, trouble_kind{}, {}, wall_at::min()});
  for (auto at = first; at != f_.rows.troubles.end() && at->second.gateway == gateway; ++at)
    if (!at->second.ended) out.push_back(at->second);
  return out;
}

void trouble_desk::on_box_state(desk_turn& t, const gateway_id& gateway, const wire::box_state& s) {
  const auto known = of(gateway);
  const auto same = [](const trouble_row& r, const wire::trouble& w) { return r.kind == w.kind && r.button == w.button; };
  std::vector<trouble_row> fresh;
  for (const auto& w : s.troubles) {
    const bool is_known = std::ranges::any_of(known, [&](const auto& r) { return same(r, w); });
    const bool twice = std::ranges::any_of(fresh, [&](const auto& r) { return same(r, w); });
    if (!is_known && !twice)
      fresh.push_back({.home = f_.gateway(gateway)->home, .gateway = gateway, .kind = w.kind, .button = w.button, .since = t.wall});
  }
  std::vector<trouble_row> gone;
  for (const auto& r : known)
    if (std::ranges::none_of(s.troubles, [&](const auto& w) { return same(r, w); })) gone.push_back(r);

  const auto found = rates_.find(gateway);
  if (found != rates_.end()) found->second.waits.reset();
  const auto changes = static_cast<std::uint32_t>(fresh.size() + gone.size());
  if (changes == 0) return;
  rate& r = rates_[gateway];
  if (r.changes == 0 || t.now - r.from >= rate_of) r = {.from = t.now, .changes = 0, .waits = {}};
  // The first state after a start may be long; it is the going to and fro that waits.
  const std::uint32_t most = f_.limits.trouble_changes_per_hour + wire::troubles_max;
  if (r.changes + changes > most) {
    if (std::exchange(r.changes, most) < most) log_.warning("too_often", {{"gw", gateway.text()}});
    r.waits = s;
    return;
  }
  r.changes += changes;
  for (auto& row : fresh) begin(t, std::move(row));
  for (auto& row : gone) end(t, std::move(row));
}

void trouble_desk::on_wake(desk_turn& t) {
  std::vector<std::pair<gateway_id, wire::box_state>> due;
  for (auto& [gateway, r] : rates_)
    if (r.waits && t.now - r.from >= rate_of) due.emplace_back(gateway, *r.waits);
  for (const auto& [gateway, state] : due) {
    rates_.erase(gateway);
    if (f_.gateway(gateway) != nullptr) on_box_state(t, gateway, state);
  }
}

mono_time trouble_desk::next_wake() const {
  mono_time next = never;
  for (const auto& [gateway, r] : rates_)
    if (r.waits) next = std::min(next, r.from + rate_of);
  return next;
}

void trouble_desk::begin(desk_turn& t, trouble_row row) {
  tell_centre(t, row, dc09::edge::begun);
  f_.rows.put(row);
  log_.warning("begun", {{"gw", row.gateway.text()}, {"kind", name_of(row.kind)}});
  write(t, emergency_notice::trouble, row);
}

void trouble_desk::end(desk_turn& t, trouble_row row) {
  row.ended = t.wall;
  f_.rows.put(row);
  tell_centre(t, row, dc09::edge::restored);
  log_.info("ended", {{"gw", row.gateway.text()}, {"kind", name_of(row.kind)}});
  write(t, emergency_notice::trouble_ended, row);
}

// Only the first of a kind in a home, and only the last: the centre has one line for it.
void trouble_desk::tell_centre(desk_turn& t, const trouble_row& row, dc09::edge how) {
  auto what = signal_of(row.kind);
  if (!what) return;
  for (const gateway_id& gateway : f_.world->by_home.gateways_of(row.home))
    for (const auto& other : of(gateway))
      if (other.kind == row.kind) return;
  what->how = how;
  guard_.make(t, {.home = row.home, .what = *what, .reference = f_.name(), .occurred = t.wall});
}

void trouble_desk::write(desk_turn& t, emergency_notice kind, const trouble_row& row) {
  emergency_facts facts{.kind = kind};
  facts.where.id = row.home;
  facts.trouble = row;
  mails_.write(t, mail_readers::provider, number_of(row), std::move(facts));
}

void trouble_desk::on_directory(desk_turn& t) {
  std::vector<trouble_row> over;
  for (const auto& [key, row] : f_.rows.troubles) {
    const relay::gateway* g = f_.gateway(row.gateway);
    if (!row.ended && (g == nullptr || g->revoked)) over.push_back(row);
  }
  for (auto& row : over) {
    row.ended = t.wall;
    f_.rows.put(row);
    tell_centre(t, row, dc09::edge::restored);
  }
}

// ---- the three-day rule

void trouble_desk::on_alert(desk_turn& t, home_id home, appliance_id appliance, std::int32_t since, bool open) {
  const alert_row* known = f_.rows.alerts.find({home, appliance, since});
  if (known == nullptr && open) {
    const guard_account* account = f_.account(home);
    if (account == nullptr || !account->send_inactivity) return;
    const auto former = f_.book.find_alert(home, appliance, since);
    if (!former || *former) return;
    f_.rows.put(alert_row{.home = home, .appliance = appliance, .since = since, .begun = t.wall});
  } else if (known != nullptr && !open && !known->ended) {
    alert_row ended = *known;
    ended.ended = t.wall;
    f_.rows.put(ended);
  } else {
    return;
  }
  const auto zone = static_cast<std::uint16_t>(100 + static_cast<std::uint16_t>(appliance) % 800);
  guard_.make(t, {.home = home, .what = {dc09::event::inactivity, open ? dc09::edge::begun : dc09::edge::restored, 0, zone},
                  .reference = f_.name(), .occurred = t.wall});
}

void trouble_desk::on_alerts(desk_turn& t, const std::set<alert_key>& open) {
  std::vector<alert_key> over;
  for (const auto& [key, row] : f_.rows.alerts)
    if (!row.ended && !open.contains(key)) over.push_back(key);
  for (const auto& [home, appliance, since] : over) on_alert(t, home, appliance, since, false);
  for (const auto& [home, appliance, since] : open) on_alert(t, home, appliance, since, true);
}

}  // namespace tomoshibi::relay
