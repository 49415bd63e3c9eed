#include "relay/ctl/home_status.hpp"

#include "protocol/adapters/stderr_log.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/shell/day_row.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::ctl {
namespace {

result<std::int64_t> count(sqlite_db& db, std::string_view sql, home_id home) {
  auto s = db.prepare(sql);
  if (!s) return std::unexpected(s.error());
  const auto row = s->bind(1, relay::number(home)).step();
  if (!row) return std::unexpected(row.error());
  return *row ? s->int64(0) : 0;
}

status read_gateways(registry& r, home_status& out) {
  auto s = r.db().prepare(
      "SELECT g.id, l.state, l.since_ms, s.heard_ms, coalesce(s.firmware_version, ''), coalesce(s.config_version, 0) "
      "FROM gateway g LEFT JOIN gateway_state s ON s.gateway = g.id LEFT JOIN line l ON l.gateway = g.id AND "
      "l.since_ms = (SELECT max(since_ms) FROM line WHERE gateway = g.id) WHERE g.home = ?1 ORDER BY g.id");
  if (!s) return std::unexpected(s.error());
  s->bind(1, relay::number(out.what.id));
  return relay::for_each_row(*s, "gateway", [&](const statement& row) {
    relay::row_reader in(row);
    gateway_status g;
    const auto found = r.directory().gateways.find(in.gateway(0));
    if (found != r.directory().gateways.end()) g.what = found->second;
    if (!row.is_null(1)) {
      g.state = in.one_of(1, relay::line::up, relay::line::down);
      g.since = in.time(2);
    }
    g.heard = in.maybe_time(3);
    g.firmware_version = in.text(4);
    g.config_version = in.whole<std::uint32_t>(5);
    out.gateways.push_back(std::move(g));
    return in.ok();
  });
}

status read_newest_slot(registry& r, home_status& out) {
  auto s = r.db().prepare(
      "SELECT day, cells FROM day WHERE home = ?1 AND day = (SELECT max(day) FROM day WHERE home = ?1)");
  if (!s) return std::unexpected(s.error());
  s->bind(1, relay::number(out.what.id));
  return relay::for_each_row(*s, "day", [&out](const statement& row) {
    const auto cells = relay::decode_day(row.blob(1));
    if (!cells) return false;
    const auto first = relay::first_slot_of(static_cast<relay::utc_day>(row.int64(0)));
    for (std::int32_t i = slots_per_day - 1; i >= 0; --i) {
      if (!(*cells)[static_cast<std::size_t>(i)].present) continue;
      if (!out.newest_slot || *out.newest_slot < first + i) out.newest_slot = first + i;
      break;
    }
    return true;
  });
}

std::string line_text(const gateway_status& g, std::int32_t zone) {
  if (g.what.revoked) return "revoked";
  if (g.what.certificate_sha256.empty()) return "not enrolled";
  if (!g.state) return "never connected";
  return (*g.state == relay::line::up ? "up since " : "DOWN since ") + format_local(g.since, zone);
}

std::string config_text(const home_status& s, const gateway_status& g) {
  const std::string wanted = std::to_string(s.config_version);
  if (g.config_version == s.config_version) return "configuration " + wanted;
  return "configuration " + std::to_string(g.config_version) + " (to be " + wanted + ")";
}

std::optional<std::string> utc(const std::optional<wall_at>& t) {
  if (!t) return std::nullopt;
  return format_utc(*t);
}

}  // namespace

result<home_status> read_status(registry& r, const relay::home& h) {
  home_status out;
  out.what = h;
  out.config_version = r.directory().configs.at(h.id).version;
  if (auto ok = read_gateways(r, out); !ok) return std::unexpected(ok.error());
  if (auto ok = read_newest_slot(r, out); !ok) return std::unexpected(ok.error());
  const std::pair<const char*, std::int64_t*> counts[] = {
      {"SELECT count(*) FROM episode WHERE home = ?1 AND closed_ms IS NULL", &out.episodes_open},
      {"SELECT count(*) FROM mail WHERE home = ?1 AND state = 1", &out.mails_queued},
      {"SELECT count(*) FROM mail WHERE home = ?1 AND state = 3", &out.mails_failed}};
  for (const auto& [sql, into] : counts) {
    const auto n = count(r.db(), sql, h.id);
    if (!n) return std::unexpected(n.error());
    *into = *n;
  }
  return out;
}

std::string status_as_text(const home_status& s) {
  const std::int32_t zone = s.what.zone_min;
  std::string out = "home " + shown(s.what.id) + "  " + s.what.name + "  (times: UTC" + format_zone(zone) + ")\n";
  out += "  watch mode  " + (s.what.watch_mode ? "on since " + format_local(s.what.watch_since, zone) : "off") + "\n";
  if (s.gateways.empty()) out += "  gateway     none\n";
  for (const auto& g : s.gateways) {
    out += "  gateway     " + g.what.id.text() + ": " + line_text(g, zone);
    if (g.heard) out += ", heard " + format_local(*g.heard, zone) + ", " + config_text(s, g);
    out += "\n";
  }
  out += "  last slot   " + (s.newest_slot ? format_local_slot(*s.newest_slot, zone) : "none yet") + "\n";
  out += "  alerts      " + std::to_string(s.episodes_open) + " open\n";
  out += "  mails       " + std::to_string(s.mails_queued) + " queued, " + std::to_string(s.mails_failed) + " failed\n";
  return out;
}

std::string status_as_json(const home_status& s) {
  json_array gateways;
  for (const auto& g : s.gateways) {
    const std::optional<std::string> line =
        g.state ? std::optional<std::string>(*g.state == relay::line::up ? "up" : "down") : std::nullopt;
    gateways.add_raw(json_object().add("gateway", g.what.id.text()).add("revoked", g.what.revoked)
                         .add("enrolled", !g.what.certificate_sha256.empty()).add("line", line)
                         .add("since", g.state ? utc(g.since) : std::nullopt).add("heard", utc(g.heard))
                         .add("firmware", g.firmware_version).add("config_version", g.config_version).text());
  }
  return json_object().add("home", static_cast<std::uint32_t>(s.what.id)).add("name", s.what.name)
      .add("zone", format_zone(s.what.zone_min)).add("watch", s.what.watch_mode)
      .add("watch_since", s.what.watch_mode ? utc(s.what.watch_since) : std::nullopt)
      .add("config_version", s.config_version).add("gateways", gateways)
      .add("last_slot", s.newest_slot ? std::optional(s.newest_slot->value) : std::nullopt)
      .add("last_slot_start", s.newest_slot ? utc(start_of(*s.newest_slot)) : std::nullopt)
      .add("alerts_open", s.episodes_open).add("mails_queued", s.mails_queued).add("mails_failed", s.mails_failed).text();
}

}  // namespace tomoshibi::ctl
