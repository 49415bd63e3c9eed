#include "relay/shell/emergency_rows.hpp"

#include <array>

namespace tomoshibi::relay {
namespace {

constexpr std::int32_t application_id = 0x746d6572;  // "tmer"

// Released steps are never changed; a change of the schema is a new one.
constexpr std::array<std::string_view, 2> schema_steps = {
    "CREATE TABLE presses (id INTEGER PRIMARY KEY, home INTEGER NOT NULL, gateway TEXT NOT NULL, source INTEGER NOT NULL,"
    " button TEXT NOT NULL, test INTEGER NOT NULL, request INTEGER, occurred INTEGER, known INTEGER NOT NULL,"
    " reported_first INTEGER NOT NULL, stage INTEGER NOT NULL, accepted INTEGER, path INTEGER NOT NULL,"
    " receiver INTEGER NOT NULL, alarmed INTEGER, reported INTEGER, reported_path INTEGER NOT NULL,"
    " was_undelivered INTEGER NOT NULL, interrupted INTEGER NOT NULL, durable_us INTEGER, received_us INTEGER,"
    " accepted_us INTEGER, shown_us INTEGER, closed INTEGER);"
    "CREATE INDEX presses_known ON presses (known);"
    "CREATE INDEX presses_open ON presses (known) WHERE closed IS NULL;"
    "CREATE TABLE guard_events (id INTEGER PRIMARY KEY, home INTEGER NOT NULL, account TEXT NOT NULL,"
    " sequence INTEGER NOT NULL, what INTEGER NOT NULL, edge INTEGER NOT NULL, zone INTEGER NOT NULL,"
    " reference TEXT NOT NULL, occurred INTEGER, urgent INTEGER NOT NULL, made INTEGER NOT NULL, state INTEGER NOT NULL,"
    " ended INTEGER, receiver INTEGER NOT NULL);"
    "CREATE INDEX guard_events_made ON guard_events (made);"
    "CREATE INDEX guard_events_waiting ON guard_events (id) WHERE state = 1;"
    "CREATE TABLE sequences (account TEXT PRIMARY KEY, last INTEGER NOT NULL, event INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE watches (home INTEGER PRIMARY KEY, lost INTEGER NOT NULL, since INTEGER NOT NULL, told INTEGER NOT NULL,"
    " tested_day INTEGER NOT NULL);"
    "CREATE TABLE troubles (home INTEGER NOT NULL, gateway TEXT NOT NULL, kind INTEGER NOT NULL, button TEXT NOT NULL,"
    " since INTEGER NOT NULL, ended INTEGER, PRIMARY KEY (gateway, kind, button, since)) WITHOUT ROWID;"
    "CREATE TABLE alerts (home INTEGER NOT NULL, appliance INTEGER NOT NULL, since INTEGER NOT NULL, begun INTEGER NOT NULL,"
    " ended INTEGER, PRIMARY KEY (home, appliance, since)) WITHOUT ROWID;"
    "CREATE TABLE dispatches (id INTEGER PRIMARY KEY, home INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL,"
    " asked INTEGER NOT NULL, accepted INTEGER, alarmed INTEGER);"
    "CREATE TABLE drills (request INTEGER PRIMARY KEY, home INTEGER NOT NULL, gateway TEXT NOT NULL, asked INTEGER NOT NULL,"
    " press INTEGER, ended INTEGER, answered INTEGER NOT NULL);"
    "CREATE TABLE mails (kind INTEGER NOT NULL, about INTEGER NOT NULL, contact INTEGER NOT NULL, home INTEGER NOT NULL,"
    " state INTEGER NOT NULL, queued INTEGER NOT NULL, not_before INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " subject TEXT NOT NULL, body TEXT NOT NULL, message_id TEXT NOT NULL, last_error TEXT NOT NULL,"
    " PRIMARY KEY (kind, about, contact)) WITHOUT ROWID;"
    "CREATE INDEX mails_queued ON mails (queued) WHERE state = 1;"
    // Room that is taken while there is some, and written into when the disk is full.
    "CREATE TABLE pad (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);",
    // What is over leaves by number as well: the oldest are found without reading mails.
    "CREATE INDEX mails_by_age ON mails (queued);"
    "CREATE INDEX troubles_by_age ON troubles (since);"
    "CREATE INDEX alerts_by_age ON alerts (begun);"
    "CREATE INDEX dispatches_by_age ON dispatches (asked);"
    "CREATE INDEX drills_by_age ON drills (asked);"
    // By what this file is known again, and whether its log lay beside it when it was last reserved.
    "CREATE TABLE book (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL, log INTEGER NOT NULL);"
    "INSERT INTO book VALUES (1, lower(hex(randomblob(16))), 0);"};

template <class T>
std::optional<std::int64_t> maybe_number(const std::optional<T>& v) {
  if (!v) return std::nullopt;
  return static_cast<std::int64_t>(*v);
}

status write(statement_cache& to, const press_row& r) {
  return to.run("INSERT OR REPLACE INTO presses (" TOMO_PRESS_COLUMNS
                ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                number(r.id), number(r.home), r.gateway.text(), number(r.source), r.button, number(r.test),
                maybe_number(r.request), number(r.occurred), number(r.known), number(r.reported_first), number(r.stage),
                number(r.accepted), number(r.path), r.receiver, number(r.alarmed), number(r.reported),
                number(r.reported_path), number(r.was_undelivered), number(r.interrupted), maybe_number(r.durable_us),
                maybe_number(r.received_us), maybe_number(r.accepted_us), maybe_number(r.shown_us), number(r.closed));
}

status write(statement_cache& to, const guard_event_row& r) {
  if (auto done = to.run("INSERT OR REPLACE INTO guard_events (" TOMO_EVENT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                         number(r.id), number(r.home), r.account, r.sequence, number(r.what.what), number(r.what.how),
                         r.what.zone, r.reference, number(r.occurred), number(r.urgent), number(r.made), number(r.state),
                         number(r.ended), r.receiver);
      !done)
    return done;
  return to.run("INSERT INTO sequences (account, last, event) VALUES (?,?,?) ON CONFLICT (account) DO UPDATE SET"
                " last = excluded.last, event = excluded.event WHERE excluded.event > event",
                r.account, r.sequence, number(r.id));
}

status write(statement_cache& to, const watch_row& r) {
  return to.run("INSERT OR REPLACE INTO watches (" TOMO_WATCH_COLUMNS ") VALUES (?,?,?,?,?)", number(r.home), number(r.lost),
                number(r.since), number(r.told), r.tested_day);
}

status write(statement_cache& to, const trouble_row& r) {
  return to.run("INSERT OR REPLACE INTO troubles (" TOMO_TROUBLE_COLUMNS ") VALUES (?,?,?,?,?,?)", number(r.home),
                r.gateway.text(), number(r.kind), r.button, number(r.since), number(r.ended));
}

status write(statement_cache& to, const alert_row& r) {
  return to.run("INSERT OR REPLACE INTO alerts (" TOMO_ALERT_COLUMNS ") VALUES (?,?,?,?,?)", number(r.home),
                number(r.appliance), r.since, number(r.begun), number(r.ended));
}

status write(statement_cache& to, const dispatch_row& r) {
  return to.run("INSERT OR REPLACE INTO dispatches (" TOMO_DISPATCH_COLUMNS ") VALUES (?,?,?,?,?,?,?)", number(r.id),
                number(r.home), r.who, r.reason, number(r.asked), number(r.accepted), number(r.alarmed));
}

status write(statement_cache& to, const drill_row& r) {
  return to.run("INSERT OR REPLACE INTO drills (" TOMO_DRILL_COLUMNS ") VALUES (?,?,?,?,?,?,?)",
                static_cast<std::int64_t>(r.request), number(r.home), r.gateway.text(), number(r.asked),
                maybe_number(r.press), number(r.ended), number(r.answered));
}

status write(statement_cache& to, const emergency_mail_row& r) {
  return to.run("INSERT OR REPLACE INTO mails (" TOMO_EMERGENCY_MAIL_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                number(r.key.kind), static_cast<std::int64_t>(r.key.about), number(r.key.to), number(r.home),
                number(r.state), number(r.queued), number(r.not_before), r.attempts, r.subject, r.body, r.message_id,
                r.last_error);
}

std::uint64_t bits(const statement& s, int column) { return static_cast<std::uint64_t>(s.int64(column)); }
std::optional<std::uint64_t> maybe_bits(const statement& s, int column) {
  if (s.is_null(column)) return std::nullopt;
  return bits(s, column);
}
std::optional<std::uint32_t> maybe_us(row_reader& r, const statement& s, int column) {
  if (s.is_null(column)) return std::nullopt;
  return r.whole<std::uint32_t>(column);
}

}  // namespace

sqlite_schema emergency_schema() { return {application_id, schema_steps}; }

status write_row(statement_cache& statements, const emergency_write& row) {
  return std::visit([&statements](const auto& r) { return write(statements, r); }, row);
}

namespace emergency_rows {

void read(row_reader& r, const statement& s, press_row& into) {
  into.id = press_id{bits(s, 0)};
  into.home = r.name<home_id>(1);
  into.gateway = r.gateway(2);
  into.source = r.one_of(3, press_source::button, press_source::drill);
  into.button = r.text(4);
  into.test = r.flag(5);
  into.request = maybe_bits(s, 6);
  into.occurred = r.maybe_time(7);
  into.known = r.time(8);
  into.reported_first = r.flag(9);
  into.stage = r.one_of(10, press_stage::received, press_stage::accepted);
  into.accepted = r.maybe_time(11);
  into.path = r.one_of(12, press_path::none, press_path::direct);
  into.receiver = r.whole<std::uint8_t>(13);
  into.alarmed = r.maybe_time(14);
  into.reported = r.maybe_time(15);
  into.reported_path = r.one_of(16, press_path::none, press_path::direct);
  into.was_undelivered = r.flag(17);
  into.interrupted = r.flag(18);
  into.durable_us = maybe_us(r, s, 19);
  into.received_us = maybe_us(r, s, 20);
  into.accepted_us = maybe_us(r, s, 21);
  into.shown_us = maybe_us(r, s, 22);
  into.closed = r.maybe_time(23);
}

void read(row_reader& r, const statement& s, guard_event_row& into) {
  into.id = guard_event_id{bits(s, 0)};
  into.home = r.name<home_id>(1);
  into.account = r.text(2);
  into.sequence = r.whole<std::uint16_t>(3, 1, 9999);
  into.what.what = r.one_of(4, dc09::event::personal_emergency, dc09::last_event);
  into.what.how = r.one_of(5, dc09::edge::begun, dc09::edge::still);
  into.what.zone = r.whole<std::uint16_t>(6, 0, dc09::zone_max);
  into.reference = r.text(7);
  into.occurred = r.maybe_time(8);
  into.urgent = r.flag(9);
  into.made = r.time(10);
  into.state = r.one_of(11, guard_event_state::waiting, guard_event_state::given_up);
  into.ended = r.maybe_time(12);
  into.receiver = r.whole<std::uint8_t>(13);
}

void read(row_reader& r, const statement& s, watch_row& into) {
  into.home = r.name<home_id>(0);
  into.lost = r.flag(1);
  into.since = r.time(2);
  into.told = guard_event_id{bits(s, 3)};
  into.tested_day = r.whole<std::int32_t>(4);
}

void read(row_reader& r, const statement&, trouble_row& into) {
  into.home = r.name<home_id>(0);
  into.gateway = r.gateway(1);
  into.kind = r.one_of(2, trouble_kind::button_stuck, trouble_kind::direct_path_down);
  into.button = r.text(3);
  into.since = r.time(4);
  into.ended = r.maybe_time(5);
}

void read(row_reader& r, const statement&, alert_row& into) {
  into.home = r.name<home_id>(0);
  into.appliance = r.name<appliance_id>(1);
  into.since = r.whole<std::int32_t>(2);
  into.begun = r.time(3);
  into.ended = r.maybe_time(4);
}

void read(row_reader& r, const statement& s, dispatch_row& into) {
  into.id = dispatch_id{bits(s, 0)};
  into.home = r.name<home_id>(1);
  into.who = r.text(2);
  into.reason = r.text(3);
  into.asked = r.time(4);
  into.accepted = r.maybe_time(5);
  into.alarmed = r.maybe_time(6);
}

void read(row_reader& r, const statement& s, drill_row& into) {
  into.request = bits(s, 0);
  into.home = r.name<home_id>(1);
  into.gateway = r.gateway(2);
  into.asked = r.time(3);
  if (!s.is_null(4)) into.press = press_id{bits(s, 4)};
  into.ended = r.maybe_time(5);
  into.answered = r.flag(6);
}

void read(row_reader& r, const statement& s, emergency_mail_row& into) {
  into.key.kind = r.one_of(0, emergency_notice::press, emergency_notice::drill_unanswered);
  into.key.about = bits(s, 1);
  into.key.to = r.name<contact_id>(2);
  into.home = r.name<home_id>(3);
  into.state = r.one_of(4, emergency_mail_state::queued, emergency_mail_state::given_up);
  into.queued = r.time(5);
  into.not_before = r.time(6);
  into.attempts = r.whole<std::uint32_t>(7);
  into.subject = r.text(8);
  into.body = r.text(9);
  into.message_id = r.text(10);
  into.last_error = r.text(11);
}

}  // namespace emergency_rows
}  // namespace tomoshibi::relay
