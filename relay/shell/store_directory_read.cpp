#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::relay {
namespace {

bool take_home(const statement& s, directory& out) {
  row_reader r(s);
  home h;
  h.id = r.name<home_id>(0);
  h.name = r.text(1);
  h.zone_min = r.whole<std::int32_t>(2);
  h.watch_mode = r.flag(3);
  h.watch_since = r.time(4);
  h.blind_family_after = millis{s.int64(5)};
  h.blind_provider_after = millis{s.int64(6)};
  wire::config c;
  c.version = r.whole<std::uint32_t>(7);
  c.poll_interval_s = r.whole<std::uint32_t>(8);
  c.gap_limit_s = r.whole<std::uint32_t>(9);
  out.configs.emplace(h.id, std::move(c));
  out.homes.emplace(h.id, std::move(h));
  return r.ok();
}

bool take_gateway(const statement& s, directory& out) {
  row_reader r(s);
  gateway g;
  g.id = r.gateway(0);
  g.home = r.name<home_id>(1);
  g.revoked = r.flag(2);
  g.certificate_sha256 = r.text(3);
  out.gateways.emplace(g.id, g);
  return r.ok();
}

bool take_appliance(const statement& s, directory& out) {
  row_reader r(s);
  appliance a;
  a.home = r.name<home_id>(0);
  a.spec.appliance = r.name<appliance_id>(1);
  a.spec.label = r.text(2);
  a.spec.node = r.text(3);
  a.spec.eoj = r.whole<std::uint32_t>(4, 0, 0xffffff);
  a.spec.on_rule = r.one_of(5, wire::on_rule_kind::operation_status, wire::on_rule_kind::sensor_state);
  a.spec.watts_above = r.whole<std::uint32_t>(6);
  a.spec.power_w_max = r.whole<std::uint32_t>(7);
  if (!s.is_null(8)) a.quiet_days = r.whole<std::uint16_t>(8);
  a.added = r.time(9);
  const auto config = out.configs.find(a.home);
  if (config == out.configs.end()) return false;
  config->second.appliances.push_back(a.spec);
  out.appliances.emplace(std::pair{a.home, a.spec.appliance}, std::move(a));
  return r.ok();
}

bool take_contact(const statement& s, directory& out) {
  row_reader r(s);
  contact c;
  c.id = r.name<contact_id>(0);
  if (!s.is_null(1)) c.home = r.name<home_id>(1);
  c.role = r.one_of(2, contact_role::family, contact_role::provider);
  c.name = r.text(3);
  c.address = r.text(4);
  c.lang = r.one_of(5, language::ja, language::en);
  c.quiet.from_min = r.whole<std::uint16_t>(6, 0, 1440);
  c.quiet.until_min = r.whole<std::uint16_t>(7, 0, 1440);
  out.contacts.emplace(c.id, std::move(c));
  return r.ok();
}

bool take_guard_account(const statement& s, directory& out) {
  row_reader r(s);
  const auto home = r.name<home_id>(0);
  guard_account a;
  a.account = r.text(1);
  a.key_hex = r.text(2);
  if (!out.homes.contains(home)) return false;
  a.send_inactivity = r.flag(3);
  out.guards.emplace(home, std::move(a));
  return r.ok();
}

status read_tables(sqlite_db& db, directory& out) {
  struct table {
    const char* name;
    const char* sql;
    bool (*take)(const statement&, directory&);
  };
  static constexpr table tables[] = {
      {"home",
       "SELECT id, name, zone_min, watch_mode, watch_since_ms, blind_family_after_ms, blind_provider_after_ms, "
       "config_version, poll_interval_s, gap_limit_s FROM home",
       take_home},
      {"gateway", "SELECT id, home, revoked, certificate_sha256 FROM gateway", take_gateway},
      {"appliance",
       "SELECT home, id, label, node, eoj, on_rule, watts_above, power_w_max, quiet_days, added_ms FROM appliance "
       "WHERE removed_ms IS NULL ORDER BY home, id",
       take_appliance},
      {"contact", "SELECT id, home, role, name, address, lang, quiet_from_min, quiet_until_min FROM contact",
       take_contact},
      {"guard_accounts", "SELECT home, account, key_hex, send_inactivity FROM guard_accounts", take_guard_account},
  };
  for (const table& t : tables) {
    auto done = for_each_row(db, t.sql, t.name, [&out, &t](const statement& s) { return t.take(s, out); });
    if (!done) return done;
  }
  return {};
}

}  // namespace

result<directory> read_directory(sqlite_db& db) {
  // One read transaction: a change between two tables would show an appliance without its home.
  if (auto ok = db.exec("BEGIN"); !ok) return std::unexpected(ok.error());
  directory out;
  const auto done = read_tables(db, out);
  const auto ended = db.exec("COMMIT");
  if (!done) return std::unexpected(done.error());
  if (!ended) return std::unexpected(ended.error());
  return out;
}

}  // namespace tomoshibi::relay
