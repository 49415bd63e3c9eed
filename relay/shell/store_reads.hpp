// What the relay reads back, as functions of one connection. Numbers that this program does not know are storage_corrupt,
// with the table's name.
#pragma once

#include "relay/ports/store.hpp"
#include "relay/shell/statement_cache.hpp"

namespace tomoshibi::relay {

result<std::vector<gateway_state>> read_gateway_states(sqlite_db& db);
result<std::vector<device_state>> read_devices(sqlite_db& db);
result<std::vector<recount_mark>> read_recounts(sqlite_db& db);
result<std::vector<episode>> read_open_episodes(sqlite_db& db);
result<std::vector<mail>> read_queued_mails(sqlite_db& db);
result<std::optional<episode>> read_episode(statement_cache& statements, const episode_key& key);
result<std::vector<contact_id>> read_told(statement_cache& statements, const episode_key& key);
result<std::optional<wall_at>> read_alive(sqlite_db& db);
result<day_cells> read_day_cells(statement_cache& statements, home_id home, appliance_id appliance, utc_day day);
result<std::optional<utc_day>> read_newest_day(statement_cache& statements, home_id home, appliance_id appliance);

// Hands each row to `take`, which answers false when a value is out of range.
template <class F>
status for_each_row(statement& s, const char* table, F take) {
  for (;;) {
    const auto row = s.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    if (!take(s)) return fail(errc::storage_corrupt, std::string(table) + ": a row has a value out of range");
  }
}

template <class F>
status for_each_row(sqlite_db& db, std::string_view sql, const char* table, F take) {
  auto s = db.prepare(sql);
  if (!s) return std::unexpected(s.error());
  return for_each_row(*s, table, take);
}
}  // namespace tomoshibi::relay
