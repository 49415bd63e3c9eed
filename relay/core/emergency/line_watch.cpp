#include "relay/core/emergency/line_watch.hpp"

#include "protocol/dc09/press_signal.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

constexpr millis day = 24h;

std::int32_t test_day_of(home_id home, wall_at wall) {
  return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(wall - test_time_of(home)).time_since_epoch().count());
}

}  // namespace

millis test_time_of(home_id home) {
  return millis{static_cast<std::int64_t>(prng{static_cast<std::uint64_t>(home)}.below(static_cast<std::uint64_t>(day.count())))};
}

void line_watch::on_start(desk_turn& t) {
  for (const auto& [home, row] : f_.rows.watches) {
    if (row.lost) ++lost_;
    else heard_.touch(home, t.now);
  }
  tick_ = t.now + f_.limits.tick;
}

void line_watch::on_up(desk_turn& t, home_id home) {
  auto& s = standing_[home];
  if (s.lanes++ == 0) s.since = t.now;
  if (f_.rows.watches.find(home) == nullptr) f_.rows.put(watch_row{.home = home, .since = t.wall});
}

void line_watch::on_down(home_id home) {
  const auto found = standing_.find(home);
  if (found != standing_.end() && --found->second.lanes == 0) standing_.erase(found);
}

void line_watch::on_heard(desk_turn& t, home_id home) {
  const watch_row* row = f_.rows.watches.find(home);
  if (row == nullptr) return;
  if (!row->lost) return heard_.touch(home, t.now);
  const auto found = standing_.find(home);
  if (found != standing_.end() && t.now - found->second.since >= f_.limits.line_back_after) restore(t, *row);
}

void line_watch::lose(desk_turn& t, watch_row row) {
  heard_.erase(row.home);
  ++lost_;
  ++f_.count.lines_lost_total;
  log_.warning("lost", {{"home", static_cast<std::uint32_t>(row.home)}});
  row.lost = true;
  row.since = t.wall;
  row.told = guard_.make(t, {.home = row.home, .what = {dc09::event::path_failed, dc09::edge::begun, 0, dc09::zone_line},
                             .reference = f_.name(), .occurred = t.wall - f_.limits.line_lost_after})
                 .value_or(guard_event_id{});
  f_.rows.put(row);
}

void line_watch::restore(desk_turn& t, watch_row row) {
  heard_.touch(row.home, t.now);
  --lost_;
  ++f_.count.lines_restored_total;
  log_.info("restored", {{"home", static_cast<std::uint32_t>(row.home)}});
  const guard_event_row* lost = f_.rows.events.find(row.told);   // not here: it has ended
  const bool waits = lost != nullptr && lost->state == guard_event_state::waiting;
  // What the centre cannot have heard of is taken back, and so is its end. Else both are told, in their order.
  if (waits && !guard_.may_be_heard(row.told)) guard_.withdraw(t, row.told);
  else if (row.told != guard_event_id{})
    guard_.make(t, {.home = row.home, .what = {dc09::event::path_failed, dc09::edge::restored, 0, dc09::zone_line},
                    .reference = f_.name(), .occurred = t.wall});
  row.lost = false;
  row.since = t.wall;
  row.told = guard_event_id{};
  f_.rows.put(row);
}

// A home without a gateway that may come is not watched: it has none to lose.
void line_watch::on_directory(desk_turn& t) {
  for (const auto& [home, row] : f_.rows.watches) {
    const bool may_come = !f_.world->by_home.gateways_of(home).empty();
    if (!may_come) heard_.erase(home);
    else if (!row.lost && !heard_.contains(home)) heard_.touch(home, t.now);
  }
}

void line_watch::test(desk_turn& t) {
  for (const auto& [home, account] : f_.world->all.guards) {
    const watch_row* row = f_.rows.watches.find(home);
    if (row == nullptr || row->lost || !standing_.contains(home)) continue;
    const std::int32_t today = test_day_of(home, t.wall);
    // A day that lies ahead was written by a clock that was wrong.
    if (row->tested_day == today || row->tested_day == today + 1) continue;
    if (!guard_.make(t, {.home = home, .what = {dc09::event::periodic_test, dc09::edge::begun, 0, 0}, .test = true,
                         .reference = f_.name(), .occurred = t.wall}))
      continue;
    watch_row tested = *row;
    tested.tested_day = today;
    f_.rows.put(tested);
  }
}

void line_watch::on_wake(desk_turn& t) {
  while (const auto home = heard_.overdue(t.now, f_.limits.line_lost_after)) {
    const watch_row* row = f_.rows.watches.find(*home);
    heard_.erase(*home);
    if (row != nullptr && !row->lost) lose(t, *row);
  }
  if (t.now < tick_) return;
  tick_ = t.now + f_.limits.tick;
  test(t);
}

mono_time line_watch::next_wake() const { return std::min(heard_.next(f_.limits.line_lost_after), tick_); }

}  // namespace tomoshibi::relay
