#include "relay/core/emergency/guard_desk.hpp"

#include "protocol/base/check.hpp"
#include "protocol/dc09/press_signal.hpp"

#include <algorithm>
#include <charconv>

namespace tomoshibi::relay {
namespace {

constexpr std::uint16_t sequence_max = 9'999;

// The one place that keeps a test from moving a guard, and a real press from being taken for a test.
dc09::signal checked(const wanted_event& e) {
  if (TOMO_CHECK(dc09::is_test(e.what.what) == e.test)) return e.what;
  return dc09::signal_of(e.test ? press_source::drill : press_source::button);
}

}  // namespace

dc09::outgoing outgoing_of(const guard_event_row& event, const dc09::cipher* key) {
  return {.id = static_cast<std::uint64_t>(event.id), .sequence = event.sequence, .account = event.account, .key = key,
          .what = event.what, .occurred = event.occurred, .reference = event.reference, .urgent = event.urgent};
}

std::uint64_t number_of_reference(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return wrong == std::errc{} && end == text.data() + text.size() ? out : 0;
}

void guard_desk::on_start(guard_event_id last, const std::map<std::string, std::uint16_t>& sequences) {
  last_ = last;
  sequences_ = sequences;
  for (const auto& [id, row] : f_.rows.events) {
    by_reference_.emplace(number_of_reference(row.reference), id);
    queue(row);
    heard_.insert(id);
  }
}

void guard_desk::queue(const guard_event_row& row) { ready_.put(row.urgent ? rank_urgent : rank_calm, row.home, row.id); }

std::optional<guard_event_id> guard_desk::make(desk_turn& t, const wanted_event& e) {
  const guard_account* account = f_.account(e.home);
  if (account == nullptr) return std::nullopt;
  if (!e.urgent && f_.rows.events.size() >= f_.limits.events_waiting_max) {
    ++f_.count.events_given_up;
    return std::nullopt;
  }
  auto& sequence = sequences_[account->account];
  sequence = static_cast<std::uint16_t>(sequence % sequence_max + 1);
  last_ = guard_event_id{static_cast<std::uint64_t>(last_) + 1};
  f_.rows.put(guard_event_row{.id = last_, .home = e.home, .account = account->account, .sequence = sequence,
                              .what = checked(e), .reference = dc09::reference_of(press_id{e.reference}),
                              .occurred = e.occurred, .urgent = e.urgent, .made = t.wall});
  by_reference_.emplace(e.reference, last_);
  return last_;
}

guard_event_id guard_desk::waiting_for(std::uint64_t reference) const {
  guard_event_id newest{};
  const auto [from, until] = by_reference_.equal_range(reference);
  for (auto at = from; at != until; ++at) newest = std::max(newest, at->second);
  return newest;
}

// ---- to the link

void guard_desk::on_durable(const guard_event_row& row) {
  if (row.state == guard_event_state::waiting && !out_.contains(row.id) && !later_.contains(row.id))
    queue(row);
}

void guard_desk::on_not_durable() {
  for (const auto& [id, row] : f_.rows.events)
    if (row.urgent && row.state == guard_event_state::waiting) on_durable(row);
}

void guard_desk::hand_over(desk_turn& t) {
  if (!f_.centre_set) return;
  while (!ready_.empty()) {
    const auto [rank, id] = ready_.front();
    const std::size_t most = f_.limits.events_out_max + (rank == rank_calm ? 0 : f_.limits.events_out_max / 2);
    if (out_.size() >= most) return;
    ready_.pop();
    const guard_event_row* row = f_.rows.events.find(id);
    if (row == nullptr || row->state != guard_event_state::waiting) continue;
    out_.insert(id);
    heard_.insert(id);
    t.out.emplace_back(guard_submit{*row});
  }
}

void guard_desk::on_not_taken(desk_turn& t, guard_event_id id) {
  if (out_.erase(id) == 0) return;
  later_[id] = t.now + 1s;
}

void guard_desk::on_centre_changed() {
  out_.clear();
  later_.clear();
  ready_.clear();
  for (const auto& [id, row] : f_.rows.events)
    if (row.urgent || !f_.rows.events.dirty(id)) on_durable(row);
}

void guard_desk::on_directory(desk_turn& t, const directory& before) {
  std::vector<guard_event_row> waiting;
  for (const auto& [id, row] : f_.rows.events)
    if (row.state == guard_event_state::waiting) waiting.push_back(row);
  for (const auto& row : waiting) {
    const guard_account* account = f_.account(row.home);
    const auto former = before.guards.find(row.home);
    if (account != nullptr && former != before.guards.end() && former->second == *account) continue;
    if (account != nullptr && account->account == row.account) {   // another key
      if (out_.erase(row.id) != 0) t.out.emplace_back(guard_cancel{row.id});
      on_durable(row);
      continue;
    }
    (void)withdraw(t, row.id);
    if (account != nullptr)
      (void)make(t, {.home = row.home, .what = row.what, .test = dc09::is_test(row.what.what),
                     .reference = number_of_reference(row.reference), .occurred = row.occurred, .urgent = row.urgent});
  }
}

void guard_desk::on_wake(desk_turn& t) {
  for (auto at = later_.begin(); at != later_.end();) {
    if (at->second > t.now) {
      ++at;
      continue;
    }
    const guard_event_row* row = f_.rows.events.find(at->first);
    if (row != nullptr) queue(*row);
    at = later_.erase(at);
  }
}

mono_time guard_desk::next_wake() const {
  mono_time next = never;
  for (const auto& [id, at] : later_) next = std::min(next, at);
  return next;
}

// ---- ends

void guard_desk::forget(guard_event_id id) {
  const guard_event_row* row = f_.rows.events.find(id);
  ready_.remove(id);
  out_.erase(id);
  later_.erase(id);
  heard_.erase(id);
  if (row == nullptr) return;
  const auto [from, until] = by_reference_.equal_range(number_of_reference(row->reference));
  for (auto at = from; at != until; ++at) {
    if (at->second != id) continue;
    by_reference_.erase(at);
    return;
  }
}

std::optional<guard_event_row> guard_desk::end(desk_turn& t, guard_event_id id, guard_event_state how, std::uint8_t receiver) {
  const guard_event_row* row = f_.rows.events.find(id);
  if (row == nullptr || row->state != guard_event_state::waiting) return std::nullopt;
  forget(id);
  guard_event_row ended = *row;
  ended.state = how;
  ended.ended = t.wall;
  ended.receiver = receiver;
  f_.rows.put(ended);
  return ended;
}

bool guard_desk::withdraw(desk_turn& t, guard_event_id id) {
  const bool heard = may_be_heard(id);
  if (out_.contains(id)) t.out.emplace_back(guard_cancel{id});
  if (!end(t, id, guard_event_state::given_up, 0)) return false;
  ++f_.count.events_given_up;
  return !heard;
}

std::optional<guard_event_row> guard_desk::on_delivered(desk_turn& t, guard_event_id id, std::uint8_t receiver) {
  auto ended = end(t, id, guard_event_state::delivered, receiver);
  if (ended) ++f_.count.events_delivered;
  return ended;
}

std::optional<guard_event_row> guard_desk::on_refused(desk_turn& t, guard_event_id id) {
  const guard_event_row* row = f_.rows.events.find(id);
  if (row == nullptr || row->state != guard_event_state::waiting) return std::nullopt;
  ++f_.count.events_refused;
  log_.error("event_refused", {{"home", static_cast<std::uint32_t>(row->home)}, {"event", dc09::words_of(row->what.what)},
                               {"seq", row->sequence}});
  if (!row->urgent) return end(t, id, guard_event_state::refused, 0);
  out_.erase(id);
  later_[id] = t.now + f_.limits.refused_again_after;
  return *row;
}

}  // namespace tomoshibi::relay
