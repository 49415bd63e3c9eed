#include "relay/shell/store_writes.hpp"

#include "relay/shell/store_values.hpp"

namespace tomoshibi::relay {
namespace {

class writer {
public:
  writer(statement_cache& statements, day_cache& days) : db_(statements), days_(days) {}

  status operator()(const slots_write& w) { return days_.merge(w.home, w.slot); }
  status operator()(const gap_write& w) { return days_.merge(w.home, w.gap); }

  status operator()(const progress_write& w) {
    return db_.run("INSERT INTO gateway_state (gateway, epoch, acked) SELECT ?1, ?2, ?3 "
                   "WHERE EXISTS (SELECT 1 FROM gateway WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET epoch = excluded.epoch, acked = CASE WHEN epoch = excluded.epoch "
                   "THEN max(acked, excluded.acked) ELSE excluded.acked END",
                   w.gateway.text(), number(w.epoch), static_cast<std::int64_t>(w.acked));
  }

  // The later of two changes at one moment stands: a gateway that came and was never heard again is down since it came.
  status operator()(const line_write& w) {
    return db_.run("INSERT INTO line (gateway, since_ms, state, known_ms) SELECT ?1, ?2, ?3, ?4 "
                   "WHERE EXISTS (SELECT 1 FROM gateway WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET state = excluded.state, known_ms = excluded.known_ms",
                   w.gateway.text(), number(w.since), number(w.state), number(w.known));
  }

  status operator()(const seen_write& w) {
    return db_.run("INSERT INTO gateway_state (gateway, heard_ms, firmware_version, config_version) "
                   "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM gateway WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET heard_ms = excluded.heard_ms, "
                   "firmware_version = excluded.firmware_version, config_version = excluded.config_version",
                   w.gateway.text(), number(w.heard), w.firmware_version, w.config_version);
  }

  status operator()(const device_write& w) {
    const bool silent = w.report.change == wire::device_change::silent;
    const wall_at since = to_ms(w.report.since) != 0 ? w.report.since : w.at;
    // A fault stands where it was told, whatever the gateway makes of the device until it has its configuration again.
    return db_.run("INSERT INTO device (home, device, appliance, maker, silent, since_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6 "
                   "WHERE EXISTS (SELECT 1 FROM home WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET appliance = CASE WHEN faulty THEN appliance ELSE excluded.appliance END, "
                   "maker = excluded.maker, "
                   "silent = excluded.silent, since_ms = excluded.since_ms",
                   number(w.home), w.report.device, number(w.report.appliance), w.report.maker, number(silent),
                   number(since));
  }

  status operator()(const fault_write& w) {
    // Before the row changes: every gateway that starts tells of each device that it has no fault, which is no history.
    if (auto ok = db_.run("INSERT OR REPLACE INTO device_fault (home, device, at_ms, faulty, description, appliance) "
                          "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM home WHERE id = ?1) "
                          "AND (?4 OR EXISTS (SELECT 1 FROM device WHERE home = ?1 AND device = ?2 AND faulty))",
                          number(w.home), w.fault.device, number(w.at), number(w.fault.faulty), w.fault.description,
                          number(w.fault.appliance));
        !ok)
      return ok;
    return db_.run("INSERT INTO device (home, device, appliance, faulty, description, since_ms) "
                   "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM home WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET appliance = excluded.appliance, faulty = excluded.faulty, "
                   "description = excluded.description, "
                   "since_ms = CASE WHEN faulty OR excluded.faulty THEN excluded.since_ms ELSE since_ms END",
                   number(w.home), w.fault.device, number(w.fault.appliance), number(w.fault.faulty),
                   w.fault.description, number(w.at));
  }

  status operator()(const event_write& w) {
    return db_.run("INSERT OR IGNORE INTO event (gateway, epoch, seq, kind, value, at_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6 "
                   "WHERE EXISTS (SELECT 1 FROM gateway WHERE id = ?1)",
                   w.gateway.text(), number(w.epoch), static_cast<std::int64_t>(w.seq), number(w.event.kind),
                   w.event.value, number(w.at));
  }

  status operator()(const episode_open_write& w) {
    const episode& e = w.what;
    return db_.run("INSERT OR IGNORE INTO episode (home, kind, appliance, since_slot, last_use_slot, off_slots, "
                   "unknown_slots, cause, opened_ms, closed_ms, closed_by_slot, cancelled) "
                   "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 "
                   "WHERE EXISTS (SELECT 1 FROM home WHERE id = ?1)",
                   number(e.key.home), number(e.key.kind), number(e.key.appliance), number(e.key.since),
                   number(e.last_use), e.off_slots, e.unknown_slots, number(e.cause), number(e.opened),
                   number(e.closed), number(e.closed_by), number(e.cancelled));
  }

  status operator()(const episode_close_write& w) {
    return db_.run("UPDATE episode SET closed_ms = ?5, closed_by_slot = ?6, cancelled = ?7 WHERE home = ?1 AND kind = ?2 "
                   "AND appliance = ?3 AND since_slot = ?4 AND closed_ms IS NULL",
                   number(w.key.home), number(w.key.kind), number(w.key.appliance), number(w.key.since),
                   number(w.closed), number(w.closed_by), number(w.cancelled));
  }

  status operator()(const mail_queue_write& w) { return queue_mail(db_, w.what); }

  // A mail that was sent stays sent, whatever arrives later.
  status operator()(const mail_result_write& w) {
    const auto& k = w.key;
    return db_.run("UPDATE mail SET state = ?7, attempts = ?8, not_before_ms = ?9, last_error = ?10 WHERE home = ?1 "
                   "AND kind = ?2 AND appliance = ?3 AND since_slot = ?4 AND edge = ?5 AND contact = ?6 AND state <> 2",
                   number(k.episode.home), number(k.episode.kind), number(k.episode.appliance),
                   number(k.episode.since), number(k.edge), number(k.to), number(w.state), w.attempts,
                   number(w.not_before), w.last_error);
  }

  status operator()(const recount_write& w) {
    if (!w.from)
      return db_.run("DELETE FROM recount WHERE home = ?1 AND appliance = ?2", number(w.home), number(w.appliance));
    return db_.run("INSERT INTO recount (home, appliance, from_slot) SELECT ?1, ?2, ?3 "
                   "WHERE EXISTS (SELECT 1 FROM home WHERE id = ?1) "
                   "ON CONFLICT DO UPDATE SET from_slot = excluded.from_slot",
                   number(w.home), number(w.appliance), number(*w.from));
  }

  status operator()(const alive_write& w) {
    return db_.run("INSERT INTO alive (one, at_ms) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms",
                   number(w.at));
  }

private:
  statement_cache& db_;
  day_cache& days_;
};

}  // namespace

// Home 0 stands for "no home": test mails to the provider's own contacts.
status queue_mail(statement_cache& db, const mail& m) {
  const auto& k = m.key;
  return db.run("INSERT OR IGNORE INTO mail (home, kind, appliance, since_slot, edge, contact, state, urgent, queued_ms, "
                "not_before_ms, attempts, subject, body, message_id, last_error) "
                "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 "
                "WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM home WHERE id = ?1)",
                number(k.episode.home), number(k.episode.kind), number(k.episode.appliance), number(k.episode.since),
                number(k.edge), number(k.to), number(m.state), number(m.urgent), number(m.queued),
                number(m.not_before), m.attempts, m.subject, m.body, m.message_id, m.last_error);
}

status apply_batch(statement_cache& statements, day_cache& days, const write_batch& batch) {
  days.begin();
  writer apply(statements, days);
  for (const write& w : batch)
    if (auto ok = std::visit(apply, w); !ok) return ok;
  return days.flush();
}

}  // namespace tomoshibi::relay
