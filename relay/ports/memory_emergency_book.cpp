#include "relay/ports/memory_emergency_book.hpp"

#include <algorithm>
#include <functional>

namespace tomoshibi::relay {
namespace {

const error unreadable{errc::storage_io, "told to fail"};

template <class Map, class Key>
auto found_in(const Map& rows, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto at = rows.find(key);
  if (at == rows.end()) return std::nullopt;
  return at->second;
}

template <class Map, class Wanted>
auto chosen(const Map& rows, Wanted wanted) {
  std::vector<typename Map::mapped_type> out;
  for (const auto& [key, row] : rows)
    if (wanted(row)) out.push_back(row);
  return out;
}

template <class Row>
std::vector<Row> oldest(std::vector<Row> rows, wall_at Row::*when, std::size_t most) {
  std::ranges::stable_sort(rows, {}, when);
  if (rows.size() > most) rows.resize(most);
  return rows;
}

}  // namespace

result<emergency_state> memory_emergency_book::load() {
  if (fail_reads_) return std::unexpected(unreadable);
  emergency_state s;
  s.presses = oldest(chosen(presses_, [](const press_row& r) { return !r.closed; }), &press_row::known, presses_.size());
  s.events = chosen(events_, [](const guard_event_row& r) { return r.state == guard_event_state::waiting; });
  s.watches = chosen(watches_, [](const watch_row&) { return true; });
  s.troubles = chosen(troubles_, [](const trouble_row& r) { return !r.ended; });
  s.alerts = chosen(alerts_, [](const alert_row& r) { return !r.ended; });
  s.dispatches = chosen(dispatches_, [](const dispatch_row& r) { return !r.accepted; });
  s.drills = chosen(drills_, [](const drill_row& r) { return !r.ended; });
  s.mails = chosen(mails_, [](const emergency_mail_row& r) { return r.state == emergency_mail_state::queued; });
  for (const auto& [account, last] : sequences_) {
    s.sequences[account] = last.last;
    s.last_event = std::max(s.last_event, last.event);
  }
  return s;
}

void memory_emergency_book::put(const guard_event_row& r) {
  events_[r.id] = r;
  auto& last = sequences_[r.account];
  if (r.id >= last.event) last = {r.sequence, r.id};
}

status memory_emergency_book::commit(const emergency_batch& batch) {
  if (before_commit && before_commit()) return std::unexpected(unreadable);
  if (good_commits_ > 0) {
    --good_commits_;
  } else if (fail_commits_ > 0) {
    --fail_commits_;
    return std::unexpected(fail_with_);
  }
  ++commits_;
  for (const auto& w : batch) std::visit([this](const auto& row) { put(row); }, w);
  return {};
}

status memory_emergency_book::drop_old(wall_at now, std::size_t most) {
  const wall_at until = now - emergency_history;
  const auto drop = [until, most](auto& rows, auto ended, auto begun) {
    std::erase_if(rows, [&](const auto& e) { return ended(e.second) && *ended(e.second) < until; });
    if (rows.size() <= most) return;
    std::vector<wall_at> times;
    for (const auto& [key, row] : rows) times.push_back(begun(row));
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(most), std::ranges::greater{});
    std::erase_if(rows, [&](const auto& e) { return ended(e.second) && begun(e.second) <= times[most]; });
  };
  drop(presses_, [](const auto& r) { return r.closed; }, [](const auto& r) { return r.known; });
  drop(events_, [](const auto& r) { return r.ended; }, [](const auto& r) { return r.made; });
  drop(troubles_, [](const auto& r) { return r.ended; }, [](const auto& r) { return r.since; });
  drop(alerts_, [](const auto& r) { return r.ended; }, [](const auto& r) { return r.begun; });
  drop(dispatches_, [](const auto& r) { return r.accepted; }, [](const auto& r) { return r.asked; });
  drop(drills_, [](const auto& r) { return r.ended; }, [](const auto& r) { return r.asked; });
  drop(mails_, [](const auto& r) { return r.state == emergency_mail_state::queued ? std::nullopt : std::optional{r.queued}; },
       [](const auto& r) { return r.queued; });
  return {};
}

result<std::optional<press_row>> memory_emergency_book::find_press(press_id id) {
  if (fail_reads_) return std::unexpected(unreadable);
  return found_in(presses_, id);
}

result<std::optional<alert_row>> memory_emergency_book::find_alert(home_id home, appliance_id appliance, std::int32_t since) {
  if (fail_reads_) return std::unexpected(unreadable);
  return found_in(alerts_, alert_key{home, appliance, since});
}

result<std::optional<dispatch_row>> memory_emergency_book::find_dispatch(dispatch_id id) {
  if (fail_reads_) return std::unexpected(unreadable);
  return found_in(dispatches_, id);
}

result<std::optional<drill_row>> memory_emergency_book::find_drill(std::uint64_t request) {
  if (fail_reads_) return std::unexpected(unreadable);
  return found_in(drills_, request);
}

result<std::vector<press_row>> memory_emergency_book::presses(wall_at from, wall_at until, std::size_t most) {
  if (fail_reads_) return std::unexpected(unreadable);
  return oldest(chosen(presses_, [=](const press_row& r) { return from <= r.known && r.known < until; }), &press_row::known,
                most);
}

result<std::vector<guard_event_row>> memory_emergency_book::events(wall_at from, wall_at until, std::size_t most) {
  if (fail_reads_) return std::unexpected(unreadable);
  return oldest(chosen(events_, [=](const guard_event_row& r) { return from <= r.made && r.made < until; }),
                &guard_event_row::made, most);
}

void memory_emergency_book::fail_commits(std::uint32_t count, std::uint32_t good, error with) {
  fail_commits_ = count;
  good_commits_ = good;
  fail_with_ = std::move(with);
}

}  // namespace tomoshibi::relay
