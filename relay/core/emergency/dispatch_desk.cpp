#include "relay/core/emergency/dispatch_desk.hpp"

#include "protocol/dc09/press_signal.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay {
namespace {

status whole_text(std::string_view text, std::size_t most, const char* what) {
  if (blank(text)) return fail(errc::malformed, std::string(what) + " is missing");
  if (text.size() > most) return fail(errc::too_long, std::string(what) + ": at most " + std::to_string(most) + " bytes");
  if (!valid_utf8(text)) return fail(errc::malformed, std::string(what) + ": not UTF-8");
  return {};
}

}  // namespace

void dispatch_desk::on_start(desk_turn& t) {
  for (const auto& [id, row] : f_.rows.dispatches)
    if (!row.alarmed) alarms_.insert({t.now + left_of(f_.limits.alarm_after, row.asked, t.wall), id});
}

result<dispatch_row> dispatch_desk::begin(desk_turn& t, const wanted_dispatch& w) {
  if (f_.home(w.home) == nullptr) return fail(errc::not_found, "no such home");
  if (auto ok = whole_text(w.who, who_bytes_max, "who asks"); !ok) return std::unexpected(ok.error());
  if (auto ok = whole_text(w.reason, reason_bytes_max, "the reason"); !ok) return std::unexpected(ok.error());
  if (!w.confirmed) return fail(errc::refused, "not confirmed: a guard will be sent to this home");
  if (f_.account(w.home) == nullptr) return fail(errc::refused, f_.no_account(w.home));
  for (const auto& [id, row] : f_.rows.dispatches)
    if (row.home == w.home && !row.accepted) return fail(errc::refused, "a request for this home is on its way to the centre");
  dispatch_row row{.id = dispatch_id{f_.name()}, .home = w.home, .who = one_line(w.who), .reason = one_line(w.reason), .asked = t.wall};
  f_.rows.put(row);
  guard_.make(t, {.home = row.home, .what = {dc09::event::general_alarm, dc09::edge::begun, 0, dc09::zone_family},
                  .reference = static_cast<std::uint64_t>(row.id), .occurred = t.wall, .urgent = true});
  alarms_.insert({t.now + f_.limits.alarm_after, row.id});
  log_.info("asked", {{"home", static_cast<std::uint32_t>(row.home)}});
  write(t, mail_readers::everybody, emergency_notice::dispatch, row);
  return row;
}

void dispatch_desk::on_accepted(desk_turn& t, dispatch_id id) {
  const dispatch_row* open = f_.rows.dispatches.find(id);
  if (open == nullptr || open->accepted) return;
  dispatch_row row = *open;
  row.accepted = t.wall;
  std::erase_if(alarms_, [id](const auto& e) { return e.second == id; });
  f_.rows.put(row);
  log_.info("accepted", {{"home", static_cast<std::uint32_t>(row.home)}});
  write(t, mail_readers::everybody, emergency_notice::dispatch_accepted, row);
}

void dispatch_desk::on_wake(desk_turn& t) {
  while (!alarms_.empty() && alarms_.begin()->first <= t.now) {
    const dispatch_id id = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    const dispatch_row* open = f_.rows.dispatches.find(id);
    if (open == nullptr || open->accepted) continue;
    dispatch_row row = *open;
    row.alarmed = t.wall;
    f_.rows.put(row);
    ++f_.count.alarms;
    log_.error("not_accepted", {{"home", static_cast<std::uint32_t>(row.home)}});
    write(t, mail_readers::provider, emergency_notice::dispatch_not_accepted, row);
  }
}

void dispatch_desk::write(desk_turn& t, mail_readers to, emergency_notice kind, const dispatch_row& row) {
  emergency_facts facts{.kind = kind};
  facts.where.id = row.home;
  facts.dispatch = row;
  mails_.write(t, to, static_cast<std::uint64_t>(row.id), std::move(facts));
}

}  // namespace tomoshibi::relay
