#include "protocol/dc09/press_signal.hpp"
#include "relay/ctl/emergency_view.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"
#include "relay/shell/store_settings.hpp"

#include <charconv>
#include <filesystem>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

constexpr std::int64_t days_max = relay::emergency_history / 24h;

// What the verbs read: who there is, and the book beside a relay that may run.
struct reading {
  registry known;
  std::unique_ptr<relay::sqlite_emergency_book> book;
  std::optional<home_id> only;
  report_range range;
};

result<reading> open(const context& c, std::string_view days_default) {
  auto known = registry::open(c);
  if (!known) return std::unexpected(known.error());
  std::optional<home_id> only;
  if (c.has("HOME")) {
    const auto h = known->find_home(c.text("HOME"));
    if (!h) return std::unexpected(h.error());
    only = h->id;
  }
  const auto days = parse_integer("--days", c.text("--days", std::string(days_default)), 1, days_max);
  if (!days) return std::unexpected(days.error());
  std::error_code ignored;
  if (!std::filesystem::exists(c.folder.emergency_database(), ignored) && !known->setting(relay::setting_emergency_mark, {}).empty())
    return fail(errc::not_found, c.folder.emergency_database() + ": gone; the relay begins a new one at its next start. A copy of it may "
                                                                 "be beside a backup (FILE.emergency)");
  auto book = relay::sqlite_emergency_book::open(c.folder.emergency_database(), {.read_only = true});
  if (!book) return std::unexpected(book.error());
  // A gateway's clock may be wrong, the relay's is what `known` is of: until now, to the millisecond.
  return reading{std::move(*known), std::move(*book), only, {c.now - *days * 24h, c.now + 1ms, false}};
}

result<std::vector<relay::press_row>> presses_of(reading& r) {
  auto rows = r.book->presses(r.range.from, r.range.until, relay::emergency_rows_max);
  if (!rows) return rows;
  r.range.cut = rows->size() == relay::emergency_rows_max;
  if (r.only) std::erase_if(*rows, [&r](const relay::press_row& p) { return p.home != *r.only; });
  return rows;
}

status report(context& c) {
  auto r = open(c, "90");
  if (!r) return std::unexpected(r.error());
  const auto rows = presses_of(*r);
  if (!rows) return std::unexpected(rows.error());
  const auto counted = relay::make_report(*rows, c.now);
  c.out += (c.has("--json") ? report_as_json : report_as_text)(counted, r->known.directory(), r->range, r->only);
  return {};
}

status list(context& c) {
  auto r = open(c, "30");
  if (!r) return std::unexpected(r.error());
  const auto rows = presses_of(*r);
  if (!rows) return std::unexpected(rows.error());
  c.out += c.has("--json") ? presses_as_json(*rows, c.now) : presses_as_text(*rows, r->known.directory(), c.now);
  return {};
}

result<press_id> parse_press(const std::string& typed) {
  std::uint64_t id = 0;
  const auto [end, wrong] = std::from_chars(typed.data(), typed.data() + typed.size(), id, 16);
  if (wrong != std::errc{} || end != typed.data() + typed.size() || typed.size() != 16)
    return fail(errc::config_invalid, "PRESS: the press's 16 hexadecimal digits; see: tomoshibi-ctl emergency list");
  return press_id{id};
}

status show(context& c) {
  const auto id = parse_press(c.text("PRESS"));
  if (!id) return std::unexpected(id.error());
  auto r = open(c, "1");
  if (!r) return std::unexpected(r.error());
  const auto p = r->book->find_press(*id);
  if (!p) return std::unexpected(p.error());
  if (!*p) return fail(errc::not_found, "no press " + c.text("PRESS") + "; see: tomoshibi-ctl emergency list");
  // The event is made with the press; a restart of the relay may make it a little later.
  auto events = r->book->events((*p)->known - 1min, (*p)->known + 24h, relay::emergency_rows_max);
  if (!events) return std::unexpected(events.error());
  std::erase_if(*events, [&](const relay::guard_event_row& e) { return e.reference != dc09::reference_of(*id); });
  c.out += c.has("--json") ? press_as_json(**p, *events, c.now) : press_as_text(**p, *events, r->known.directory(), c.now);
  return {};
}

}  // namespace

verb_list emergency_verbs() {
  const argument home{"HOME", optional_positional, "Number or name; without it all"};
  return {
      {"emergency", "list", "Presses and drills, and what became of each",
       {home, {"--days", option, "Of so many days, 1 to 400 (30)"}, {"--json", flag, "One JSON object a line"}}, "", list},
      {"emergency", "show", "One press with all its times, and what the guard centre was told",
       {{"PRESS", positional, "Its 16 hexadecimal digits"}, {"--json", flag, "As JSON"}}, "  emergency show 5f3a90c2e1b4d807", show},
      {"emergency", "report", "How many presses were delivered, late or lost, and how long each hop took",
       {home, {"--days", option, "Of so many days, 1 to 400 (90)"}, {"--json", flag, "As JSON"}},
       "  emergency report --days 30\n  emergency report 1 --json", report},
  };
}

}  // namespace tomoshibi::ctl
