#include "relay/shell/store_directory.hpp"

#include "relay/shell/store_values.hpp"

namespace tomoshibi::relay {
namespace {

template <class... T>
status run(sqlite_db& db, const char* sql, const T&... values) {
  auto s = db.prepare(sql);
  if (!s) return std::unexpected(s.error());
  return s->bind_all(values...).run();
}

// A change of exactly one row.
template <class... T>
status change_one(sqlite_db& db, const char* what, const char* sql, const T&... values) {
  if (auto ok = run(db, sql, values...); !ok) return ok;
  if (db.changes() == 1) return {};
  return fail(errc::not_found, std::string("no such ") + what);
}

result<bool> exists(sqlite_db& db, const char* sql, std::string_view value) {
  auto s = db.prepare(sql);
  if (!s) return std::unexpected(s.error());
  return s->bind(1, value).step();
}

status name_is_free(sqlite_db& db, const home& h) {
  auto s = db.prepare("SELECT id FROM home WHERE name = ?1 AND id <> ?2");
  if (!s) return std::unexpected(s.error());
  const auto taken = s->bind(1, std::string_view{h.name}).bind(2, number(h.id)).step();
  if (!taken) return std::unexpected(taken.error());
  if (*taken) return fail(errc::already_exists, "home " + std::to_string(s->int64(0)) + " already has this name");
  return {};
}

status account_is_free(sqlite_db& db, home_id home, const guard_account& a) {
  auto s = db.prepare("SELECT home FROM guard_accounts WHERE account = ?1 AND home <> ?2");
  if (!s) return std::unexpected(s.error());
  const auto taken = s->bind(1, std::string_view{a.account}).bind(2, number(home)).step();
  if (!taken) return std::unexpected(taken.error());
  if (*taken) return fail(errc::already_exists, "home " + std::to_string(s->int64(0)) + " has account " + a.account + " already");
  return {};
}

}  // namespace

result<home_id> add_home(sqlite_db& db, const home& h, const config_settings& c, wall_at now) {
  if (auto ok = name_is_free(db, h); !ok) return std::unexpected(ok.error());
  const auto done = run(db,
                        "INSERT INTO home (name, zone_min, watch_mode, watch_since_ms, blind_family_after_ms, "
                        "blind_provider_after_ms, config_version, poll_interval_s, gap_limit_s, next_appliance, added_ms) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 1, ?9)",
                        h.name, h.zone_min, number(h.watch_mode), number(h.watch_since), h.blind_family_after.count(),
                        h.blind_provider_after.count(), c.poll_interval_s, c.gap_limit_s, number(now));
  if (!done) return std::unexpected(done.error());
  return static_cast<home_id>(db.last_insert_rowid());
}

status change_home(sqlite_db& db, const home& h, const config_settings& c) {
  if (auto ok = name_is_free(db, h); !ok) return ok;
  return change_one(db, "home",
                    "UPDATE home SET name = ?2, zone_min = ?3, watch_mode = ?4, watch_since_ms = ?5, "
                    "blind_family_after_ms = ?6, blind_provider_after_ms = ?7, poll_interval_s = ?8, gap_limit_s = ?9 "
                    "WHERE id = ?1",
                    number(h.id), h.name, h.zone_min, number(h.watch_mode), number(h.watch_since),
                    h.blind_family_after.count(), h.blind_provider_after.count(), c.poll_interval_s, c.gap_limit_s);
}

status remove_home(sqlite_db& db, home_id home) {
  return change_one(db, "home", "DELETE FROM home WHERE id = ?1", number(home));
}

status bump_config(sqlite_db& db, home_id home) {
  return change_one(db, "home", "UPDATE home SET config_version = config_version + 1 WHERE id = ?1", number(home));
}

status add_gateway(sqlite_db& db, const gateway& g, wall_at now) {
  const auto taken = exists(db, "SELECT 1 FROM gateway WHERE id = ?1", g.id.text());
  if (!taken) return std::unexpected(taken.error());
  if (*taken) return fail(errc::already_exists, "there is a gateway of this name");
  return run(db, "INSERT INTO gateway (id, home, revoked, certificate_sha256, added_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
             g.id.text(), number(g.home), number(g.revoked), g.certificate_sha256, number(now));
}

status change_gateway(sqlite_db& db, const gateway& g) {
  return change_one(db, "gateway", "UPDATE gateway SET home = ?2, revoked = ?3, certificate_sha256 = ?4 WHERE id = ?1",
                    g.id.text(), number(g.home), number(g.revoked), g.certificate_sha256);
}

status remove_gateway(sqlite_db& db, const gateway_id& id) {
  for (const char* sql : {"DELETE FROM gateway_state WHERE gateway = ?1", "DELETE FROM line WHERE gateway = ?1",
                          "DELETE FROM event WHERE gateway = ?1"})
    if (auto ok = run(db, sql, id.text()); !ok) return ok;
  return change_one(db, "gateway", "DELETE FROM gateway WHERE id = ?1", id.text());
}

result<appliance_id> add_appliance(sqlite_db& db, const appliance& a) {
  if (auto ok = change_one(db, "home", "UPDATE home SET next_appliance = next_appliance + 1 WHERE id = ?1",
                           number(a.home));
      !ok)
    return std::unexpected(ok.error());
  const auto& spec = a.spec;
  const auto done = run(db,
                        "INSERT INTO appliance (home, id, label, node, eoj, on_rule, watts_above, power_w_max, quiet_days, "
                        "added_ms) SELECT id, next_appliance - 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM home WHERE id = ?1",
                        number(a.home), spec.label, spec.node, spec.eoj, number(spec.on_rule), spec.watts_above,
                        spec.power_w_max, a.quiet_days, number(a.added));
  if (!done) return std::unexpected(done.error());
  auto s = db.prepare("SELECT next_appliance - 1 FROM home WHERE id = ?1");
  if (!s) return std::unexpected(s.error());
  const auto row = s->bind(1, number(a.home)).step();
  if (!row) return std::unexpected(row.error());
  if (s->int64(0) > 65535) return fail(errc::refused, "the home has used up its 65535 appliance ids");
  return static_cast<appliance_id>(s->int64(0));
}

status change_appliance(sqlite_db& db, const appliance& a) {
  const auto& spec = a.spec;
  return change_one(db, "appliance",
                    "UPDATE appliance SET label = ?3, node = ?4, eoj = ?5, on_rule = ?6, watts_above = ?7, "
                    "power_w_max = ?8, quiet_days = ?9 WHERE home = ?1 AND id = ?2 AND removed_ms IS NULL",
                    number(a.home), number(spec.appliance), spec.label, spec.node, spec.eoj, number(spec.on_rule),
                    spec.watts_above, spec.power_w_max, a.quiet_days);
}

status remove_appliance(sqlite_db& db, home_id home, appliance_id id, wall_at now) {
  return change_one(db, "appliance",
                    "UPDATE appliance SET removed_ms = ?3 WHERE home = ?1 AND id = ?2 AND removed_ms IS NULL",
                    number(home), number(id), number(now));
}

result<contact_id> add_contact(sqlite_db& db, const contact& c) {
  const auto done = run(db,
                        "INSERT INTO contact (home, role, name, address, lang, quiet_from_min, quiet_until_min) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        number(c.home), number(c.role), c.name, c.address, number(c.lang), c.quiet.from_min,
                        c.quiet.until_min);
  if (!done) return std::unexpected(done.error());
  return static_cast<contact_id>(db.last_insert_rowid());
}

status change_contact(sqlite_db& db, const contact& c) {
  return change_one(db, "contact",
                    "UPDATE contact SET home = ?2, role = ?3, name = ?4, address = ?5, lang = ?6, quiet_from_min = ?7, "
                    "quiet_until_min = ?8 WHERE id = ?1",
                    number(c.id), number(c.home), number(c.role), c.name, c.address, number(c.lang), c.quiet.from_min,
                    c.quiet.until_min);
}

status remove_contact(sqlite_db& db, contact_id id) {
  if (auto ok = run(db, "UPDATE mail SET state = 4 WHERE contact = ?1 AND state = 1", number(id)); !ok) return ok;
  return change_one(db, "contact", "DELETE FROM contact WHERE id = ?1", number(id));
}

status set_guard_account(sqlite_db& db, home_id home, const guard_account& a, wall_at now) {
  if (auto ok = account_is_free(db, home, a); !ok) return ok;
  return run(db,
             "INSERT INTO guard_accounts (home, account, key_hex, send_inactivity, set_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
             "ON CONFLICT(home) DO UPDATE SET account = excluded.account, key_hex = excluded.key_hex, "
             "send_inactivity = excluded.send_inactivity, set_ms = excluded.set_ms",
             number(home), a.account, a.key_hex, number(a.send_inactivity), number(now));
}

status remove_guard_account(sqlite_db& db, home_id home) {
  return change_one(db, "account", "DELETE FROM guard_accounts WHERE home = ?1", number(home));
}

}  // namespace tomoshibi::relay
