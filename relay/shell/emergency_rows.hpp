// The rows of emergency.db: its schema, and each row of the port written and read.
#pragma once

#include "relay/ports/emergency_book.hpp"
#include "relay/shell/statement_cache.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::relay {

sqlite_schema emergency_schema();

// One write, whole, by its key.
status write_row(statement_cache& statements, const emergency_write& row);

// Rows of one kind by the rest of a query ("WHERE closed IS NULL ORDER BY known"). storage_corrupt: a value that no such row
// can have.
template <class Row, class... T>
result<std::vector<Row>> read_rows(statement_cache& statements, const char* sql, const T&... values);

// The columns, in the order in which read_rows() expects them.
#define TOMO_PRESS_COLUMNS                                                                                           \
  "id,home,gateway,source,button,test,request,occurred,known,reported_first,stage,accepted,path,receiver,alarmed," \
  "reported,reported_path,was_undelivered,interrupted,durable_us,received_us,accepted_us,shown_us,closed"
#define TOMO_EVENT_COLUMNS \
  "id,home,account,sequence,what,edge,zone,reference,occurred,urgent,made,state,ended,receiver"
#define TOMO_WATCH_COLUMNS "home,lost,since,told,tested_day"
#define TOMO_TROUBLE_COLUMNS "home,gateway,kind,button,since,ended"
#define TOMO_ALERT_COLUMNS "home,appliance,since,begun,ended"
#define TOMO_DISPATCH_COLUMNS "id,home,who,reason,asked,accepted,alarmed"
#define TOMO_DRILL_COLUMNS "request,home,gateway,asked,press,ended,answered"
#define TOMO_EMERGENCY_MAIL_COLUMNS \
  "kind,about,contact,home,state,queued,not_before,attempts,subject,body,message_id,last_error"

namespace emergency_rows {
void read(row_reader& r, const statement& s, press_row& into);
void read(row_reader& r, const statement& s, guard_event_row& into);
void read(row_reader& r, const statement& s, watch_row& into);
void read(row_reader& r, const statement& s, trouble_row& into);
void read(row_reader& r, const statement& s, alert_row& into);
void read(row_reader& r, const statement& s, dispatch_row& into);
void read(row_reader& r, const statement& s, drill_row& into);
void read(row_reader& r, const statement& s, emergency_mail_row& into);
}  // namespace emergency_rows

template <class Row, class... T>
result<std::vector<Row>> read_rows(statement_cache& statements, const char* sql, const T&... values) {
  auto query = statements.get(sql);
  if (!query) return std::unexpected(query.error());
  (*query)->bind_all(values...);
  std::vector<Row> out;
  for (;;) {
    const auto more = (*query)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return out;
    row_reader reader{**query};
    emergency_rows::read(reader, **query, out.emplace_back());
    if (!reader.ok()) return fail(errc::storage_corrupt, "emergency.db: a row with a value that it cannot have");
  }
}

}  // namespace tomoshibi::relay
