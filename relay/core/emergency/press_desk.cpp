#include "relay/core/emergency/press_desk.hpp"

#include "protocol/dc09/press_signal.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

std::uint64_t number(press_id id) { return static_cast<std::uint64_t>(id); }

// What a gateway may be told of a row that is durable.
press_stage stage_of(const press_row& row) {
  if (row.reported_path != press_path::none) return press_stage::closed;
  if (row.stage == press_stage::accepted) return press_stage::accepted;
  return row.closed ? press_stage::closed : press_stage::received;
}

// Shown before it was accepted: no clock of one box says so. (Durable may come last: a disk that failed.)
bool in_order(const wire::press_times& t) { return !t.accepted_us || !t.shown_us || *t.shown_us >= *t.accepted_us; }

press_row row_of(const gateway_id& gateway, home_id home, press_id id, press_source source, const std::string& button) {
  return {.id = id, .home = home, .gateway = gateway, .source = source, .button = button,
          .test = source == press_source::drill};
}

}  // namespace

void press_desk::on_start(desk_turn& t) {
  for (const auto& [id, row] : f_.rows.presses) watch(t, row);
  on_directory(t);
}

// Sets the deadlines of a row that is open.
void press_desk::watch(desk_turn& t, const press_row& row) {
  if (row.stage != press_stage::accepted && !row.alarmed)
    alarms_.insert({t.now + left_of(f_.limits.alarm_after, row.known, t.wall), row.id});
  if (row.test) ends_.insert({t.now + left_of(f_.limits.drill_length, row.known, t.wall), row.id});
  else if (row.stage == press_stage::accepted)
    ends_.insert({t.now + left_of(f_.limits.report_wait, row.known, t.wall), row.id});
}

// ---- from the lane

// In memory while it is open, else from the book. A book that cannot be read does not know it: a press is then sent once more,
// and the centre sees from its name that it has it.
press_desk::found_press press_desk::known(const gateway_id& gateway, press_id id) {
  std::optional<press_row> row;
  if (const press_row* open = f_.rows.presses.find(id)) {
    row = *open;
  } else if (auto stored = f_.book.find_press(id); stored) {
    row = std::move(*stored);
  } else {
    log_.error("book_unreadable", {{"err", name_of(stored.error().code)}, {"detail", stored.error().detail}});
  }
  if (row && row->gateway != gateway) return std::unexpected(refusal{close_reason::malformed, "a press of another gateway"});
  return row;
}

std::optional<refusal> press_desk::over_rate(mono_time now, const gateway_id& gateway) {
  rate& r = rates_[gateway];
  if (now - r.from >= rate_window) r = {.from = now};
  if (++r.presses <= f_.limits.new_presses_per_min) return std::nullopt;
  return refusal{close_reason::overload, "more than " + std::to_string(f_.limits.new_presses_per_min) + " presses a minute"};
}

// One gateway that never reports its presses must not take the room of all others.
std::optional<refusal> press_desk::make_room(desk_turn& t, const gateway_id& gateway) {
  std::size_t open = 0;
  const press_row* oldest = nullptr;           // that the centre has: only its report is missing
  for (const auto& [id, row] : f_.rows.presses) {
    if (row.gateway != gateway || row.closed) continue;
    ++open;
    if (row.stage == press_stage::accepted && (oldest == nullptr || row.known < oldest->known)) oldest = &row;
  }
  if (open < f_.limits.presses_open_of_gateway) return std::nullopt;
  if (oldest == nullptr)
    return refusal{close_reason::overload, "more than " + std::to_string(f_.limits.presses_open_of_gateway) + " presses open"};
  end(t, *oldest);
  return std::nullopt;
}

std::optional<refusal> press_desk::on_press(desk_turn& t, const gateway_id& gateway, const wire::press& p) {
  auto before = known(gateway, p.id);
  if (!before) return before.error();
  if (*before) {
    ++f_.count.presses_again;
    told_.erase(p.id);
    if (f_.rows.presses.dirty(p.id)) return std::nullopt;
    // A box that sends it again does not know that the centre has it: its disk may have lost that. Closed alone would tell it nothing;
    // its report comes once more.
    if ((*before)->stage == press_stage::accepted && (*before)->reported_path != press_path::none)
      (void)lanes_.send_to(t, gateway, wire::press_news{.id = p.id, .stage = press_stage::accepted});
    else tell(t, **before);
    return std::nullopt;
  }
  if (auto wrong = over_rate(t.now, gateway)) return wrong;
  if (auto wrong = make_room(t, gateway)) return wrong;
  press_row row = row_of(gateway, f_.gateway(gateway)->home, p.id, p.source, p.button);
  row.occurred = p.occurred ? *p.occurred : t.wall - millis{p.age_ms};
  if (row.test) row.request = p.request;
  (void)begin(t, gateway, std::move(row));
  return std::nullopt;
}

// A press that is new here. Nothing: there is no room for it.
std::optional<press_row> press_desk::begin(desk_turn& t, const gateway_id& gateway, press_row row) {
  if (f_.rows.presses.size() >= f_.limits.presses_open_max) {
    log_.error("too_many_open", {{"gw", gateway.text()}, {"open", f_.rows.presses.size()}});
    return std::nullopt;
  }
  ++(row.test ? f_.count.drills : f_.count.presses);
  row.known = t.wall;
  f_.rows.put(row);
  log_.info("received", {{"gw", gateway.text()}, {"press", dc09::reference_of(row.id)}, {"test", row.test ? "yes" : "no"}});
  if (row.test) drills_.on_press(t, row);
  if (row.test && row.stage == press_stage::accepted) drills_.on_accepted(t, row);
  if (row.stage != press_stage::accepted) call_centre(t, row);
  write(t, mail_readers::everybody, emergency_notice::press, row);
  watch(t, row);
  if (row.stage != press_stage::accepted && f_.account(row.home) == nullptr) alarm(t, row);
  return *f_.rows.presses.find(row.id);
}

void press_desk::call_centre(desk_turn& t, const press_row& row) {
  guard_.make(t, {.home = row.home, .what = dc09::signal_of(row.test ? press_source::drill : row.source), .test = row.test,
                  .reference = number(row.id), .occurred = row.occurred, .urgent = true});
}

std::optional<refusal> press_desk::on_report(desk_turn& t, const gateway_id& gateway, const wire::press_report& r) {
  auto before = known(gateway, r.id);
  if (!before) return before.error();
  std::optional<press_row> row = std::move(*before);
  const bool over = row && row->reported_path != press_path::none;
  if (over) {
    told_.erase(r.id);
    if (!f_.rows.presses.dirty(r.id)) tell(t, *row);
    return std::nullopt;
  }
  if (!row) {
    if (auto wrong = over_rate(t.now, gateway)) return wrong;
    if (auto wrong = make_room(t, gateway)) return wrong;
    press_row fresh = row_of(gateway, f_.gateway(gateway)->home, r.id, r.source, r.button);
    fresh.occurred = r.occurred;
    fresh.reported_first = true;
    if (fresh.test) fresh.request = r.request;
    if (r.path == press_path::direct) accept(t, fresh, press_path::direct, 0);
    row = begin(t, gateway, std::move(fresh));
    if (!row) return std::nullopt;
  } else if (r.path == press_path::direct && row->stage != press_stage::accepted) {
    // Our own event goes on: the centre sees that both are one, and its acknowledgement to us proves our own way.
    accept(t, *row, press_path::direct, 0);
    write(t, mail_readers::everybody, emergency_notice::press_accepted, *row);
  }
  row->was_undelivered = row->was_undelivered || r.was_undelivered;
  if (r.path == press_path::none) {
    f_.rows.put(*row);
    if (row->stage != press_stage::accepted && !row->alarmed) alarm(t, *row);
    return std::nullopt;
  }
  row->reported = t.wall;
  row->reported_path = r.path;
  const bool believed = in_order(r.times);
  if (!believed) log_.warning("times_not_believed", {{"gw", gateway.text()}, {"press", dc09::reference_of(r.id)}});
  row->interrupted = r.interrupted || !believed;
  const wire::press_times times = believed ? r.times : wire::press_times{};
  row->durable_us = times.durable_us;
  row->received_us = times.received_us;
  row->accepted_us = times.accepted_us;
  row->shown_us = times.shown_us;
  close_if_over(t, *row);
  f_.rows.put(*row);
  return std::nullopt;
}

// ---- from the centre

void press_desk::accept(desk_turn& t, press_row& row, press_path path, std::uint8_t receiver) {
  row.stage = press_stage::accepted;
  row.accepted = t.wall;
  row.path = path;
  row.receiver = receiver;
  ++(path == press_path::direct ? f_.count.presses_direct : f_.count.presses_accepted);
  std::erase_if(alarms_, [&row](const auto& e) { return e.second == row.id; });
  if (row.test) drills_.on_accepted(t, row);
  else ends_.insert({t.now + f_.limits.report_wait, row.id});
  log_.info("accepted", {{"press", dc09::reference_of(row.id)}, {"path", path == press_path::direct ? "direct" : "relay"}});
}

void press_desk::on_accepted(desk_turn& t, press_id id, std::uint8_t receiver) {
  const press_row* open = f_.rows.presses.find(id);
  if (open == nullptr || open->closed || open->stage == press_stage::accepted) return;
  press_row row = *open;
  accept(t, row, press_path::relay, receiver);
  close_if_over(t, row);
  f_.rows.put(row);
  write(t, mail_readers::everybody, emergency_notice::press_accepted, row);
}

void press_desk::on_refused(desk_turn& t, press_id id, const guard_event_row&) {
  const press_row* open = f_.rows.presses.find(id);
  if (open != nullptr && open->stage != press_stage::accepted && !open->alarmed) alarm(t, *open);
}

// ---- to the gateway

void press_desk::on_durable(desk_turn& t, const press_row& row) { tell(t, row); }

void press_desk::tell(desk_turn& t, const press_row& row) {
  const press_stage stage = stage_of(row);
  const auto told = told_.find(row.id);
  if (told == told_.end() || told->second < stage)
    if (lanes_.send_to(t, row.gateway, wire::press_news{.id = row.id, .stage = stage})) told_[row.id] = stage;
  if (row.closed) told_.erase(row.id);
}

// ---- deadlines

void press_desk::alarm(desk_turn& t, press_row row) {
  const bool centre = f_.account(row.home) != nullptr;
  row.alarmed = t.wall;
  std::erase_if(alarms_, [&row](const auto& e) { return e.second == row.id; });
  f_.rows.put(row);
  ++f_.count.alarms;
  log_.error(centre ? "not_accepted" : "no_centre",
             {{"gw", row.gateway.text()}, {"press", dc09::reference_of(row.id)}, {"test", row.test ? "yes" : "no"}});
  // The family can telephone; of a drill, and of a home without a centre, which they were told, there is nothing new for them.
  write(t, centre && !row.test ? mail_readers::everybody : mail_readers::provider,
        centre ? emergency_notice::press_not_accepted : emergency_notice::press_no_centre, row);
}

void press_desk::close_if_over(desk_turn& t, press_row& row) {
  if (row.stage == press_stage::accepted && row.reported_path != press_path::none) row.closed = t.wall;
}

void press_desk::end(desk_turn& t, press_row row) {
  if (const auto event = guard_.waiting_for(number(row.id)); event != guard_event_id{}) guard_.withdraw(t, event);
  std::erase_if(alarms_, [&row](const auto& e) { return e.second == row.id; });
  row.closed = t.wall;
  f_.rows.put(row);
}

void press_desk::on_wake(desk_turn& t) {
  while (!alarms_.empty() && alarms_.begin()->first <= t.now) {
    const press_id id = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    if (const press_row* row = f_.rows.presses.find(id); row != nullptr && !row->closed) alarm(t, *row);
  }
  while (!ends_.empty() && ends_.begin()->first <= t.now) {
    const press_id id = ends_.begin()->second;
    ends_.erase(ends_.begin());
    if (const press_row* row = f_.rows.presses.find(id); row != nullptr && !row->closed) end(t, *row);
  }
}

mono_time press_desk::next_wake() const {
  return std::min(alarms_.empty() ? never : alarms_.begin()->first, ends_.empty() ? never : ends_.begin()->first);
}

void press_desk::on_directory(desk_turn& t) {
  std::vector<press_row> open;
  for (const auto& [id, row] : f_.rows.presses)
    if (row.stage != press_stage::accepted && !row.closed && guard_.waiting_for(number(id)) == guard_event_id{})
      open.push_back(row);
  for (const press_row& row : open) call_centre(t, row);
}

void press_desk::count() {
  unaccepted_ = late_ = 0;
  for (const auto& [id, row] : f_.rows.presses) {
    if (row.stage == press_stage::accepted || row.closed) continue;
    ++unaccepted_;
    late_ += row.alarmed ? 1U : 0U;
  }
}

void press_desk::write(desk_turn& t, mail_readers to, emergency_notice kind, const press_row& row) {
  emergency_facts facts{.kind = kind};
  facts.where.id = row.home;
  facts.press = row;
  mails_.write(t, to, number(row.id), std::move(facts));
}

}  // namespace tomoshibi::relay
