#include "relay/ctl/emergency_view.hpp"

#include "protocol/adapters/stderr_log.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/text_table.hpp"

namespace tomoshibi::ctl {
namespace {

using press_path = decltype(relay::press_row::path);

std::int32_t zone_of(const relay::directory& d, home_id home) {
  const auto found = d.homes.find(home);
  return found == d.homes.end() ? 0 : found->second.zone_min;
}

// With seconds: presses are told apart by them.
std::string moment(wall_at t, std::int32_t zone_min) {
  const auto text = format_utc(t + std::chrono::minutes{zone_min});  // 2026-01-31T08:15:00.000Z
  return text.substr(0, 10) + " " + text.substr(11, 8);
}

std::string maybe_us(const std::optional<std::uint32_t>& us) { return us ? format_us(*us) : "-"; }

std::optional<std::string> maybe_utc(const std::optional<wall_at>& t) {
  if (!t) return std::nullopt;
  return format_utc(*t);
}

std::string_view name_of_path(press_path path) {
  switch (path) {
    case press_path::relay: return "relay";
    case press_path::direct: return "direct";
    case press_path::none: break;
  }
  return "none";
}

// The gateway's word outranks ours: it may have reached the centre before we knew.
press_path path_of(const relay::press_row& p) { return p.reported_path != press_path::none ? p.reported_path : p.path; }

json_object press_object(const relay::press_row& p, wall_at now) {
  json_object o;
  o.add("press", dc09::reference_of(p.id)).add("home", static_cast<std::uint32_t>(p.home)).add("gateway", p.gateway.text())
      .add("source", name_of(p.source)).add("button", p.button).add("drill", p.test).add("occurred", maybe_utc(p.occurred))
      .add("known", format_utc(p.known)).add("state", name_of(relay::outcome_of(p, now)))
      .add("accepted", maybe_utc(p.accepted)).add("path", name_of_path(path_of(p))).add("was_undelivered", p.was_undelivered)
      .add("interrupted", p.interrupted).add("reported", maybe_utc(p.reported)).add("closed", maybe_utc(p.closed))
      .add("durable_us", p.durable_us).add("received_us", p.received_us).add("accepted_us", p.accepted_us)
      .add("shown_us", p.shown_us);
  return o;
}

void line(std::string& out, std::string_view key, const std::string& value) {
  out += padded("  " + std::string(key), 26) + value + "\n";
}

void time_lines(std::string& out, const relay::press_row& p) {
  if (p.interrupted) {
    line(out, "times", "none: the box began anew between press and acknowledgement");
    return;
  }
  if (!p.durable_us && !p.received_us && !p.accepted_us && !p.shown_us) {
    line(out, "times", "not reported by the box yet");
    return;
  }
  line(out, "on the box's disk after", maybe_us(p.durable_us));
  line(out, "stored by the relay after", maybe_us(p.received_us));
  line(out, "ACK known after", maybe_us(p.accepted_us) + (path_of(p) == press_path::direct ? " (direct path)" : ""));
  line(out, "shown at the box after", maybe_us(p.shown_us));
}

}  // namespace

std::string_view name_of(relay::guard_event_state s) {
  switch (s) {
    case relay::guard_event_state::waiting: return "waiting";
    case relay::guard_event_state::delivered: return "delivered";
    case relay::guard_event_state::refused: return "refused";
    case relay::guard_event_state::given_up: break;
  }
  return "given_up";
}

std::string_view words_of(relay::press_outcome outcome) {
  switch (outcome) {
    case relay::press_outcome::open: return "on its way, not acknowledged yet";
    case relay::press_outcome::delivered: return "the guard centre has it";
    case relay::press_outcome::late: return "LATE: the guard centre has it, but not within 30 s";
    case relay::press_outcome::never: break;
  }
  return "NOT DELIVERED: no acknowledgement of the guard centre";
}

std::string presses_as_text(std::span<const relay::press_row> rows, const relay::directory& d, wall_at now) {
  text_table t({"PRESS", "HOME", "WHEN", "SOURCE", "ACK AFTER", "PATH", "STATE"});
  for (const auto& p : rows)
    t.row({dc09::reference_of(p.id), std::to_string(static_cast<std::uint32_t>(p.home)),
           moment(p.occurred.value_or(p.known), zone_of(d, p.home)), std::string(name_of(p.source)) + (p.test ? " (test)" : ""),
           maybe_us(p.accepted_us), std::string(name_of_path(path_of(p))), std::string(words_of(relay::outcome_of(p, now)))});
  return t.empty() ? "no press in this time\n" : t.text();
}

std::string presses_as_json(std::span<const relay::press_row> rows, wall_at now) {
  std::string out;
  for (const auto& p : rows) out += press_object(p, now).text() + "\n";
  return out;
}

std::string times_as_text(const relay::press_row& p) {
  std::string out;
  time_lines(out, p);
  return out;
}

std::string press_as_text(const relay::press_row& p, std::span<const relay::guard_event_row> events, const relay::directory& d,
                          wall_at now) {
  const auto zone = zone_of(d, p.home);
  std::string out = "press " + dc09::reference_of(p.id) + (p.test ? "  DRILL" : "") + "\n";
  line(out, "state", std::string(words_of(relay::outcome_of(p, now))));
  line(out, "home", std::to_string(static_cast<std::uint32_t>(p.home)) + ", gateway " + p.gateway.text());
  line(out, "source", std::string(name_of(p.source)) + (p.button.empty() ? "" : " " + relay::one_line(p.button)));
  line(out, "occurred", p.occurred ? moment(*p.occurred, zone) : "unknown: the box had no time");
  line(out, "known to the relay", moment(p.known, zone) + (p.reported_first ? ", by the box's report alone" : ""));
  if (p.accepted) line(out, "ACK known to the relay", moment(*p.accepted, zone));
  if (p.was_undelivered) line(out, "the box said", "NOT DELIVERED, for a while");
  if (p.alarmed) line(out, "provider alarmed", moment(*p.alarmed, zone));
  time_lines(out, p);
  line(out, "over", p.closed ? moment(*p.closed, zone) : "no: the acknowledgement or the box's report is missing");
  for (const auto& e : events)
    line(out, "told the centre", std::string(dc09::words_of(e.what.what)) + ", account " + e.account + ", number " +
                                     std::to_string(e.sequence) + ": " + std::string(name_of(e.state)) +
                                     (e.ended ? " " + moment(*e.ended, zone) : ""));
  if (events.empty()) line(out, "told the centre", "nothing by the relay");
  return out;
}

std::string press_as_json(const relay::press_row& p, std::span<const relay::guard_event_row> events, wall_at now) {
  json_array told;
  for (const auto& e : events)
    told.add_raw(json_object().add("event", dc09::words_of(e.what.what)).add("account", e.account).add("sequence", e.sequence)
                     .add("made", format_utc(e.made)).add("state", name_of(e.state)).add("ended", maybe_utc(e.ended))
                     .add("receiver", e.receiver).text());
  return press_object(p, now).add("told", told).text() + "\n";
}

}  // namespace tomoshibi::ctl
