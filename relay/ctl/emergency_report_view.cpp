#include "relay/ctl/emergency_view.hpp"

#include "protocol/adapters/stderr_log.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/text_table.hpp"

#include <cmath>
#include <cstdio>

namespace tomoshibi::ctl {
namespace {

using relay::press_hop;

std::string_view hop_words(press_hop hop) {
  switch (hop) {
    case press_hop::durable: return "press -> on the box's disk";
    case press_hop::stored: return "  -> stored by the relay";
    case press_hop::centre: return "  -> guard centre's ACK";
    case press_hop::direct: return "disk -> ACK, direct path";
    case press_hop::shown: return "ACK -> shown at the box";
    case press_hop::to_ack: return "press -> ACK, all paths";
    case press_hop::whole: break;
  }
  return "press -> shown, all paths";
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.01 ? "%.3f" : "%.1f", share * 100);
  return std::string(text) + " %";
}

std::string count_line(const relay::press_tally& t) {
  std::string out = "delivered " + std::to_string(t.delivered) + ", lost " + std::to_string(t.lost());
  if (t.lost() != 0) out += " (late " + std::to_string(t.late) + ", never " + std::to_string(t.never) + ")";
  out += ", open " + std::to_string(t.open);
  if (t.direct != 0) out += "; by the direct path " + std::to_string(t.direct);
  return out;
}

std::string loss_line(const relay::press_tally& t) {
  if (t.decided() == 0) return "nothing to say of losses yet";
  if (t.lost() != 0) return std::to_string(t.lost()) + " of " + std::to_string(t.decided()) + " lost, " +
                            percent(static_cast<double>(t.lost()) / static_cast<double>(t.decided()));
  const std::string none = "none of " + std::to_string(t.delivered) + " lost; ";
  const auto bound = t.loss_bound();
  if (!bound) return none + "too few to say more";
  return none + "with 95 % certainty fewer than " + percent(*bound) + " are (3/n)";
}

std::string hop_table(const relay::press_tally& t) {
  text_table out({"HOP", "N", "MIN", "MEAN", "P50", "P95", "P99", "MAX"});
  for (std::size_t i = 0; i < relay::press_hops; ++i) {
    const auto& h = t.hops[i];
    if (h.n == 0) continue;
    out.row({std::string(hop_words(static_cast<press_hop>(i))), std::to_string(h.n), format_us(h.min_us), format_us(h.mean_us),
             format_us(h.p50_us), format_us(h.p95_us), format_us(h.p99_us), format_us(h.max_us)});
  }
  return out.empty() ? "" : out.text();
}

std::string tally_block(std::string_view title, const relay::press_tally& t) {
  std::string out = std::string(title) + ": " + std::to_string(t.presses) + "\n";
  if (t.presses == 0) return out;
  out += count_line(t) + "\n" + loss_line(t) + "\n";
  if (t.interrupted != 0)
    out += std::to_string(t.interrupted) + " without times: the box began anew between press and acknowledgement\n";
  if (t.unreported != 0) out += std::to_string(t.unreported) + " without times: the box has not reported them yet\n";
  return out + hop_table(t);
}

std::string home_name(const relay::directory& d, home_id id) {
  const auto found = d.homes.find(id);
  return found == d.homes.end() ? "(not registered)" : found->second.name;
}

std::string homes_table(const relay::emergency_report& r, const relay::directory& d) {
  text_table out({"HOME", "NAME", "PRESSES", "DELIVERED", "LOST", "OPEN", "TO ACK P50", "MAX", "DRILLS", "DELIVERED", "LOST"});
  const auto ack = static_cast<std::size_t>(press_hop::to_ack);
  for (const auto& [id, counts] : r.homes) {
    const auto& t = counts.real;
    const auto& h = t.hops[ack];
    out.row({std::to_string(static_cast<std::uint32_t>(id)), home_name(d, id), std::to_string(t.presses),
             std::to_string(t.delivered), std::to_string(t.lost()), std::to_string(t.open), h.n == 0 ? "-" : format_us(h.p50_us),
             h.n == 0 ? "-" : format_us(h.max_us), std::to_string(counts.drills.presses),
             std::to_string(counts.drills.delivered), std::to_string(counts.drills.lost())});
  }
  return out.empty() ? "" : "\n" + out.text();
}

std::string tally_json(const relay::press_tally& t) {
  json_object hops;
  for (std::size_t i = 0; i < relay::press_hops; ++i) {
    const auto& h = t.hops[i];
    json_object one;
    one.add("n", h.n);
    if (h.n != 0)
      one.add("min_us", h.min_us).add("mean_us", h.mean_us).add("p50_us", h.p50_us).add("p95_us", h.p95_us)
          .add("p99_us", h.p99_us).add("max_us", h.max_us);
    hops.add(name_of(static_cast<press_hop>(i)), one);
  }
  json_object out;
  out.add("presses", t.presses).add("delivered", t.delivered).add("lost", t.lost()).add("late", t.late).add("never", t.never)
      .add("open", t.open).add("direct", t.direct).add("interrupted", t.interrupted).add("unreported", t.unreported);
  char bound[32] = "null";
  if (const auto share = t.loss_bound()) std::snprintf(bound, sizeof bound, "%.6g", *share);
  out.add_raw("loss_bound_95", bound);
  return out.add("hops", hops).text();
}

json_object counts_json(const relay::press_counts& c) {
  json_object out;
  out.add_raw("presses", tally_json(c.real)).add_raw("drills", tally_json(c.drills));
  return out;
}

const relay::press_counts& counts_of(const relay::emergency_report& r, std::optional<home_id> only) {
  static const relay::press_counts none;
  if (!only) return r.all;
  const auto found = r.homes.find(*only);
  return found == r.homes.end() ? none : found->second;
}

}  // namespace

std::string format_us(std::uint32_t us) {
  char text[32];
  if (us < 1'000) std::snprintf(text, sizeof text, "%u us", us);
  else if (us < 1'000'000) std::snprintf(text, sizeof text, "%u.%u ms", us / 1'000, us % 1'000 / 100);
  else std::snprintf(text, sizeof text, "%u.%03u s", us / 1'000'000, us % 1'000'000 / 1'000);
  return text;
}

std::string report_as_text(const relay::emergency_report& r, const relay::directory& d, const report_range& range,
                           std::optional<home_id> only) {
  const auto& c = counts_of(r, only);
  std::string out = only ? "home " + std::to_string(static_cast<std::uint32_t>(*only)) + "  " + home_name(d, *only) + "\n" : "";
  out += "from " + format_utc(range.from) + " to " + format_utc(range.until) + "\n";
  if (range.cut) out += "ONLY THE OLDEST ARE COUNTED: there are more presses than fit; ask for fewer days\n";
  out += "delivered: the guard centre's acknowledgement within 30 s. Times are by the box's own clock, from the press on\n\n";
  out += tally_block("presses", c.real) + "\n" + tally_block("drills", c.drills);
  return only ? out : out + homes_table(r, d);
}

std::string report_as_json(const relay::emergency_report& r, const relay::directory& d, const report_range& range,
                           std::optional<home_id> only) {
  json_object out;
  out.add("from", format_utc(range.from)).add("until", format_utc(range.until)).add("cut", range.cut);
  json_array homes;
  for (const auto& [id, c] : r.homes) {
    if (only && id != *only) continue;
    homes.add_raw(json_object().add("home", static_cast<std::uint32_t>(id)).add("name", home_name(d, id))
                      .add_raw("presses", tally_json(c.real)).add_raw("drills", tally_json(c.drills)).text());
  }
  if (!only) out.add("all", counts_json(r.all));
  return out.add("homes", homes).text() + "\n";
}

}  // namespace tomoshibi::ctl
