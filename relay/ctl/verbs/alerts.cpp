#include "protocol/adapters/stderr_log.hpp"
#include "relay/ctl/fact_names.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

struct alert {
  relay::episode what;
  std::string label;  // of the appliance, empty for the whole home
  std::int32_t zone_min = 0;
};

constexpr const char* sql =
    "SELECT e.home, e.kind, e.appliance, e.since_slot, e.last_use_slot, e.off_slots, e.unknown_slots, e.cause, e.opened_ms, "
    "e.closed_ms, e.closed_by_slot, e.cancelled, coalesce(a.label, ''), h.zone_min FROM episode e JOIN home h ON h.id = e.home "
    "LEFT JOIN appliance a ON a.home = e.home AND a.id = e.appliance "
    "WHERE (?1 IS NULL OR e.home = ?1) AND (?2 OR e.closed_ms IS NULL) ORDER BY e.opened_ms, e.id";

bool take(const statement& s, std::vector<alert>& out) {
  relay::row_reader r(s);
  alert a;
  auto& e = a.what;
  e.key = {r.name<home_id>(0), r.one_of(1, relay::episode_kind::unused, relay::episode_kind::device_silent),
           r.name<appliance_id>(2), r.slot(3)};
  e.last_use = r.maybe_slot(4);
  e.off_slots = r.whole<std::int32_t>(5);
  e.unknown_slots = r.whole<std::int32_t>(6);
  e.cause = r.one_of(7, relay::blind_cause::none, relay::blind_cause::no_data);
  e.opened = r.time(8);
  e.closed = r.maybe_time(9);
  e.closed_by = r.maybe_slot(10);
  e.cancelled = r.flag(11);
  a.label = r.text(12);
  a.zone_min = r.whole<std::int32_t>(13);
  out.push_back(std::move(a));
  return r.ok();
}

std::string as_json(const alert& a) {
  const auto& e = a.what;
  const auto slot = [](const std::optional<slot_index>& s) { return s ? std::optional(s->value) : std::nullopt; };
  return json_object().add("home", static_cast<std::uint32_t>(e.key.home)).add("kind", name_of(e.key.kind))
      .add("appliance", static_cast<std::uint16_t>(e.key.appliance)).add("label", a.label)
      .add("since_slot", e.key.since.value).add("last_use_slot", slot(e.last_use)).add("off_slots", e.off_slots)
      .add("unknown_slots", e.unknown_slots).add("cause", name_of(e.cause)).add("opened", format_utc(e.opened))
      .add("closed", e.closed ? std::optional(format_utc(*e.closed)) : std::nullopt)
      .add("closed_by_slot", slot(e.closed_by)).add("cancelled", e.cancelled).text();
}

std::vector<std::string> as_row(const alert& a) {
  const auto& e = a.what;
  std::string end = "open";
  if (e.closed) end = format_local(*e.closed, a.zone_min) + (e.cancelled ? " (cancelled)" : "");
  return {shown(e.key.home), std::string(name_of(e.key.kind)), a.label.empty() ? "-" : a.label,
          format_local_slot(e.key.since, a.zone_min), e.last_use ? format_local_slot(*e.last_use, a.zone_min) : "-",
          e.cause == relay::blind_cause::none ? "-" : std::string(name_of(e.cause)), format_local(e.opened, a.zone_min), end};
}

status alerts(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  std::optional<std::int64_t> only;
  if (c.has("HOME")) {
    const auto h = r->find_home(c.text("HOME"));
    if (!h) return std::unexpected(h.error());
    only = relay::number(h->id);
  }
  auto s = r->db().prepare(sql);
  if (!s) return std::unexpected(s.error());
  s->bind(1, only).bind(2, relay::number(c.has("--all")));
  std::vector<alert> found;
  if (auto ok = relay::for_each_row(*s, "episode", [&found](const statement& row) { return take(row, found); }); !ok)
    return ok;
  text_table t({"HOME", "KIND", "APPLIANCE", "SINCE", "LAST USE", "CAUSE", "TOLD", "END"});
  for (const auto& a : found) {
    if (c.has("--json")) c.say(as_json(a));
    else t.row(as_row(a));
  }
  if (!c.has("--json")) c.out += t.empty() ? (c.has("--all") ? "no alerts\n" : "no open alerts\n") : t.text();
  return {};
}

}  // namespace

verb_list alert_verbs() {
  return {{"", "alerts", "Open alerts, in the home's own time; with --all also those that ended",
           {{"HOME", optional_positional, "Number or name"},
            {"--all", flag, "Also those that ended"},
            {"--json", flag, "One JSON object a line"}},
           "  alerts\n  alerts 1 --all --json", alerts}};
}

}  // namespace tomoshibi::ctl
