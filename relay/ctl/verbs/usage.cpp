#include "relay/ctl/parse.hpp"
#include "relay/ctl/usage_day.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

status usage(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto date = parse_date("DATE", c.text("DATE"));
  if (!date) return std::unexpected(date.error());
  if (c.has("--json") && c.has("--wide")) return fail(errc::config_invalid, "--json and --wide: give one of them");
  const auto day = read_usage(*r, *h, *date);
  if (!day) return std::unexpected(day.error());
  c.out += c.has("--json") ? usage_as_json(*day) : c.has("--wide") ? usage_as_table(*day) : usage_as_hours(*day);
  return {};
}

}  // namespace

verb_list usage_verbs() {
  return {{"", "usage", "A day's table: one row for each appliance, one column for each quarter of an hour",
           {{"HOME", positional, "Number or name"},
            {"DATE", positional, "Day of the home's calendar, 2026-01-31"},
            {"--wide", flag, "The table in words, 96 columns (look at it with less -S)"},
            {"--json", flag, "One JSON object a line for each appliance: 96 states, seconds, Wh, readings"}},
           "  usage 1 2026-01-31\n  usage 1 2026-01-31 --json | jq -c '[.label, .states[28:32]]'", usage}};
}

}  // namespace tomoshibi::ctl
