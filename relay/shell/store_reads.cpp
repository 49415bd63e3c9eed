#include "relay/shell/store_reads.hpp"

#include "relay/shell/day_row.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::relay {
namespace {

episode_key episode_key_at(row_reader& r, int first) {
  episode_key k;
  k.home = r.name<home_id>(first);
  k.kind = r.one_of(first + 1, episode_kind::unused, episode_kind::device_silent);
  k.appliance = r.name<appliance_id>(first + 2);
  k.since = r.slot(first + 3);
  return k;
}

bool take_gateway(const statement& s, std::vector<gateway_state>& out) {
  row_reader r(s);
  gateway_state g;
  g.id = r.gateway(0);
  g.epoch = static_cast<outbox_epoch>(s.int64(1));
  g.acked = static_cast<record_seq>(s.int64(2));
  g.heard = r.maybe_time(3);
  if (!s.is_null(4)) {
    g.last_line = r.one_of(4, line::up, line::down);
    g.line_since = r.time(5);
  }
  out.push_back(std::move(g));
  return r.ok();
}

bool take_device(const statement& s, std::vector<device_state>& out) {
  row_reader r(s);
  device_state d;
  d.home = r.name<home_id>(0);
  d.device = r.text(1);
  if (!s.is_null(2)) d.appliance = r.name<appliance_id>(2);
  d.silent = r.flag(3);
  d.faulty = r.flag(4);
  d.since = r.time(5);
  out.push_back(std::move(d));
  return r.ok();
}

bool take_recount(const statement& s, std::vector<recount_mark>& out) {
  row_reader r(s);
  recount_mark m;
  m.home = r.name<home_id>(0);
  m.appliance = r.name<appliance_id>(1);
  m.from = r.slot(2);
  out.push_back(m);
  return r.ok();
}

bool take_episode(const statement& s, std::vector<episode>& out) {
  row_reader r(s);
  episode e;
  e.key = episode_key_at(r, 0);
  e.last_use = r.maybe_slot(4);
  e.off_slots = r.whole<std::int32_t>(5);
  e.unknown_slots = r.whole<std::int32_t>(6);
  e.cause = r.one_of(7, blind_cause::none, blind_cause::no_data);
  e.opened = r.time(8);
  e.closed = r.maybe_time(9);
  e.closed_by = r.maybe_slot(10);
  e.cancelled = r.flag(11);
  out.push_back(e);
  return r.ok();
}

bool take_mail(const statement& s, std::vector<mail>& out) {
  row_reader r(s);
  mail m;
  m.key.episode = episode_key_at(r, 0);
  m.key.edge = r.one_of(4, mail_edge::opened, mail_edge::test);
  m.key.to = r.name<contact_id>(5);
  m.state = mail_state::queued;
  m.urgent = r.flag(6);
  m.queued = r.time(7);
  m.not_before = r.time(8);
  m.attempts = r.whole<std::uint32_t>(9);
  m.subject = r.text(10);
  m.body = r.text(11);
  m.message_id = r.text(12);
  m.last_error = r.text(13);
  out.push_back(std::move(m));
  return r.ok();
}

template <class T>
result<std::vector<T>> all(sqlite_db& db, const char* sql, const char* table,
                           bool (*take)(const statement&, std::vector<T>&)) {
  std::vector<T> out;
  const auto done = for_each_row(db, sql, table, [&out, take](const statement& s) { return take(s, out); });
  if (!done) return std::unexpected(done.error());
  return out;
}

}  // namespace

result<std::vector<gateway_state>> read_gateway_states(sqlite_db& db) {
  return all(db,
             "SELECT g.id, coalesce(s.epoch, 0), coalesce(s.acked, 0), s.heard_ms, l.state, l.since_ms FROM gateway g "
             "LEFT JOIN gateway_state s ON s.gateway = g.id LEFT JOIN line l ON l.gateway = g.id AND "
             "l.since_ms = (SELECT max(since_ms) FROM line WHERE gateway = g.id) ORDER BY g.id",
             "gateway_state", take_gateway);
}

result<std::vector<device_state>> read_devices(sqlite_db& db) {
  return all(db, "SELECT home, device, appliance, silent, faulty, since_ms FROM device ORDER BY home, device", "device",
             take_device);
}

result<std::vector<recount_mark>> read_recounts(sqlite_db& db) {
  return all(db, "SELECT home, appliance, from_slot FROM recount ORDER BY home, appliance", "recount", take_recount);
}

result<std::vector<episode>> read_open_episodes(sqlite_db& db) {
  return all(db,
             "SELECT home, kind, appliance, since_slot, last_use_slot, off_slots, unknown_slots, cause, opened_ms, "
             "closed_ms, closed_by_slot, cancelled FROM episode WHERE closed_ms IS NULL "
             "ORDER BY home, kind, appliance, since_slot",
             "episode", take_episode);
}

result<std::optional<episode>> read_episode(statement_cache& statements, const episode_key& key) {
  auto s = statements.get(
      "SELECT home, kind, appliance, since_slot, last_use_slot, off_slots, unknown_slots, cause, opened_ms, closed_ms, "
      "closed_by_slot, cancelled FROM episode WHERE home = ?1 AND kind = ?2 AND appliance = ?3 AND since_slot = ?4");
  if (!s) return std::unexpected(s.error());
  (*s)->bind_all(number(key.home), number(key.kind), number(key.appliance), number(key.since));
  std::vector<episode> found;
  if (auto done = for_each_row(**s, "episode", [&found](const statement& row) { return take_episode(row, found); }); !done)
    return std::unexpected(done.error());
  if (found.empty()) return std::nullopt;
  return found.front();
}

result<std::vector<contact_id>> read_told(statement_cache& statements, const episode_key& key) {
  auto s = statements.get("SELECT contact FROM mail WHERE home = ?1 AND kind = ?2 AND appliance = ?3 AND since_slot = ?4 "
                          "AND edge = 1 ORDER BY contact");
  if (!s) return std::unexpected(s.error());
  (*s)->bind_all(number(key.home), number(key.kind), number(key.appliance), number(key.since));
  std::vector<contact_id> told;
  const auto done = for_each_row(**s, "mail", [&told](const statement& row) {
    row_reader r(row);
    told.push_back(r.name<contact_id>(0));
    return r.ok();
  });
  if (!done) return std::unexpected(done.error());
  return told;
}

result<std::vector<mail>> read_queued_mails(sqlite_db& db) {
  return all(db,
             "SELECT home, kind, appliance, since_slot, edge, contact, urgent, queued_ms, not_before_ms, attempts, "
             "subject, body, message_id, last_error FROM mail WHERE state = 1 ORDER BY queued_ms, id",
             "mail", take_mail);
}

result<std::optional<wall_at>> read_alive(sqlite_db& db) {
  const auto at = db.query_int("SELECT at_ms FROM alive");
  if (at) return wall_from_ms(*at);
  if (at.error().code == errc::not_found) return std::nullopt;
  return std::unexpected(at.error());
}

result<day_cells> read_day_cells(statement_cache& statements, home_id home, appliance_id appliance, utc_day day) {
  auto s = statements.get("SELECT cells FROM day WHERE home = ?1 AND appliance = ?2 AND day = ?3");
  if (!s) return std::unexpected(s.error());
  const auto there = (*s)->bind_all(number(home), number(appliance), number(day)).step();
  if (!there) return std::unexpected(there.error());
  if (!*there) return day_cells{};
  return decode_day((*s)->blob(0));
}

result<std::optional<utc_day>> read_newest_day(statement_cache& statements, home_id home, appliance_id appliance) {
  auto s = statements.get("SELECT max(day) FROM day WHERE home = ?1 AND appliance = ?2");
  if (!s) return std::unexpected(s.error());
  const auto there = (*s)->bind_all(number(home), number(appliance)).step();
  if (!there) return std::unexpected(there.error());
  std::optional<utc_day> day;
  if (*there && !(*s)->is_null(0)) {
    row_reader r(**s);
    day = r.name<utc_day>(0);
    if (!r.ok()) return fail(errc::storage_corrupt, "day: a row has a value out of range");
  }
  return day;
}

}  // namespace tomoshibi::relay
