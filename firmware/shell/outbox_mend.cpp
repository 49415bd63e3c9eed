#include "firmware/shell/outbox_mend.hpp"

#include "protocol/base/crc32.hpp"
#include "protocol/wire/messages.hpp"

#include <vector>

namespace tomoshibi::firmware {
namespace {

struct findings {
  std::vector<std::int64_t> records;
  bool checkpoint = false;
  bool config = false;
  std::size_t count() const { return records.size() + (checkpoint ? 1 : 0) + (config ? 1 : 0); }
};

result<findings> look_at_records(sqlite_db& db, std::int64_t next) {
  auto rows = db.prepare("SELECT seq, data, sum FROM records ORDER BY seq");
  if (!rows) return std::unexpected(rows.error());
  findings found;
  std::optional<std::int64_t> last;
  while (true) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const std::int64_t seq = rows->int64(0);
    if (last && seq != *last + 1) return fail(errc::storage_corrupt, "records are missing from the log");
    if (!sum_holds(*rows, 1)) found.records.push_back(seq);
    last = seq;
  }
  if (last && *last + 1 != next) return fail(errc::storage_corrupt, "records are missing from the end of the log");
  return found;
}

result<findings> look(sqlite_db& db) {
  auto state = db.prepare("SELECT next_seq, checkpoint, checkpoint_sum, config, config_sum FROM state");
  if (!state) return std::unexpected(state.error());
  const auto row = state->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(errc::storage_corrupt, "the outbox has no state row");
  auto found = look_at_records(db, state->int64(0));
  if (!found) return found;
  found->checkpoint = !sum_holds(*state, 1);
  found->config = !sum_holds(*state, 3);
  return found;
}

status replace(sqlite_db& db, const findings& found) {
  const bytes dropped = wire::encode_record({.body = wire::event{wire::event_kind::records_dropped, 1}, .made = {}});
  auto record = db.prepare("UPDATE records SET data = ?2, sum = ?3 WHERE seq = ?1");
  if (!record) return std::unexpected(record.error());
  for (const std::int64_t seq : found.records)
    if (auto done = record->bind_all(seq, dropped, crc32(dropped)).run(); !done) return done;
  if (found.checkpoint)
    if (auto done = db.exec("UPDATE state SET checkpoint = x'', checkpoint_sum = 0"); !done) return done;
  if (found.config)
    if (auto done = db.exec("UPDATE state SET config = x'', config_sum = 0"); !done) return done;
  return {};
}

}  // namespace

bool sum_holds(const statement& row, int value) {
  return row.is_null(value) || row.is_null(value + 1) || row.int64(value + 1) == std::int64_t{crc32(row.blob(value))};
}

result<std::size_t> mend_outbox(sqlite_db& db) {
  const auto found = look(db);
  if (!found) return std::unexpected(found.error());
  if (found->count() == 0) return 0u;
  auto change = transaction::begin(db);
  if (!change) return std::unexpected(change.error());
  if (auto done = replace(db, *found); !done) return std::unexpected(done.error());
  if (auto done = change->commit(); !done) return std::unexpected(done.error());
  return found->count();
}

}  // namespace tomoshibi::firmware
