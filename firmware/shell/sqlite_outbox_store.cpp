#include "firmware/shell/sqlite_outbox_store.hpp"

#include "firmware/shell/outbox_mend.hpp"
#include "protocol/adapters/put_aside.hpp"
#include "protocol/base/crc32.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr std::int32_t application_id = 0x746d6f62;  // "tmob"

// Released steps are never changed; a change of the schema is a new one.
constexpr std::array<std::string_view, 2> schema_steps = {
    "CREATE TABLE records (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,"
    " checkpoint BLOB, config BLOB);",
    // CRC-32 of each value, see outbox_mend.hpp; NULL: written by version 1.
    "ALTER TABLE records ADD COLUMN sum INTEGER;"
    "ALTER TABLE state ADD COLUMN checkpoint_sum INTEGER; ALTER TABLE state ADD COLUMN config_sum INTEGER;"};

std::int64_t signed_of(std::uint64_t v) { return static_cast<std::int64_t>(v); }
std::uint64_t unsigned_of(std::int64_t v) { return static_cast<std::uint64_t>(v); }

}  // namespace

sqlite_outbox_store::sqlite_outbox_store(sqlite_outbox_options options) : options_(std::move(options)) {}

result<sqlite_outbox_store::open_file> sqlite_outbox_store::open_here() {
  auto db = sqlite_db::open(options_.path, {.exclusive = true, .busy_timeout = millis{2'000}, .pages_max = options_.pages_max,
                                            .files = options_.files});
  if (!db) return std::unexpected(db.error());
  auto former = migrate(*db, {application_id, schema_steps});
  if (!former) return std::unexpected(former.error());
  if (auto whole = db->quick_check(); !whole) {
    if (whole.error().code == errc::storage_io && ++unreadable_ >= unreadable_max) whole.error().code = errc::storage_corrupt;
    return std::unexpected(whole.error());
  }
  unreadable_ = 0;
  // Also where a former start got no further than the schema.
  const auto epoch = std::to_string(signed_of(std::to_underlying(options_.new_epoch())));
  auto made = db->exec("INSERT OR IGNORE INTO state (id, epoch, next_seq) VALUES (1, " + epoch + ", 1)");
  if (!made) return std::unexpected(made.error());
  const auto mended = mend_outbox(*db);
  if (!mended) return std::unexpected(mended.error());
  mended_ += *mended;
  open_file file{std::move(*db), {}, {}, {}, {}, {}, {}, {}};
  const std::pair<statement*, std::string_view> wanted[] = {
      {&file.append, "INSERT INTO records (seq, data, sum) VALUES (?, ?, ?)"},
      {&file.replace, "UPDATE records SET data = ?2, sum = ?3 WHERE seq = ?1"},
      {&file.trim, "DELETE FROM records WHERE seq <= ?"},
      {&file.read, "SELECT seq, data, sum FROM records WHERE seq >= ? ORDER BY seq LIMIT ?"},
      {&file.set_next, "UPDATE state SET next_seq = ?"},
      {&file.set_checkpoint, "UPDATE state SET checkpoint = ?, checkpoint_sum = ?"},
      {&file.set_config, "UPDATE state SET config = ?, config_sum = ?"},
  };
  for (const auto& [into, sql] : wanted) {
    auto prepared = file.db.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *into = std::move(*prepared);
  }
  return file;
}

status sqlite_outbox_store::open() {
  if (file_) return {};
  auto opened = open_here();
  if (!opened && unusable(opened.error().code)) {
    if (auto aside = put_aside(files(), options_.path); !aside) return aside;
    recreated_ = true;
    opened = open_here();
  }
  if (!opened) return std::unexpected(opened.error());
  auto next = opened->db.query_int("SELECT next_seq FROM state");
  if (!next) return note(std::unexpected(next.error()));
  next_ = unsigned_of(*next);
  file_.emplace(std::move(*opened));
  return {};
}

status sqlite_outbox_store::note(status done) {
  if (!done && done.error().code == errc::storage_corrupt) damaged_ = true;
  return done;
}

result<outbox_state> sqlite_outbox_store::load() {
  if (auto opened = open(); !opened) return std::unexpected(opened.error());
  auto query = file_->db.prepare("SELECT epoch, next_seq, checkpoint, checkpoint_sum, config, config_sum,"
                                 " (SELECT min(seq) FROM records) FROM state");
  if (!query) return std::unexpected(query.error());
  auto row = query->step();
  if (row && !*row) row = fail(errc::storage_corrupt, "the outbox has no state row");
  if (row && !(sum_holds(*query, 2) && sum_holds(*query, 4))) row = fail(errc::storage_corrupt, "a value of the state is damaged");
  if (!row) {
    (void)note(std::unexpected(row.error()));
    return std::unexpected(row.error());
  }
  outbox_state state;
  state.epoch = outbox_epoch{unsigned_of(query->int64(0))};
  state.next = next_ = unsigned_of(query->int64(1));  // a commit that was told as failed may be there after all
  state.checkpoint = query->maybe_blob(2);
  state.config = query->maybe_blob(4);
  state.oldest = query->is_null(6) ? state.next : unsigned_of(query->int64(6));
  state.recreated = std::exchange(recreated_, false);
  return state;
}

status sqlite_outbox_store::apply(open_file& file, const outbox_batch& batch) {
  record_seq next = next_;
  for (const auto& record : batch.append) {
    if (record.seq != next) return fail(errc::refused, "an appended record does not follow the last one");
    if (auto done = file.append.bind_all(signed_of(record.seq), record.data, crc32(record.data)).run(); !done) return done;
    ++next;
  }
  for (const auto& record : batch.replace) {
    if (auto done = file.replace.bind_all(signed_of(record.seq), record.data, crc32(record.data)).run(); !done) return done;
    if (file.db.changes() != 1) return fail(errc::refused, "a record to replace is not held");
  }
  if (batch.trim_through) {
    const record_seq last = std::min<record_seq>(*batch.trim_through, next - 1);
    if (auto done = file.trim.bind_all(signed_of(last)).run(); !done) return done;
  }
  if (next != next_) {
    if (auto done = file.set_next.bind_all(signed_of(next)).run(); !done) return done;
  }
  if (batch.checkpoint) {
    if (auto done = file.set_checkpoint.bind_all(*batch.checkpoint, crc32(*batch.checkpoint)).run(); !done) return done;
  }
  if (batch.config) {
    if (auto done = file.set_config.bind_all(*batch.config, crc32(*batch.config)).run(); !done) return done;
  }
  return {};
}

status sqlite_outbox_store::commit(const outbox_batch& batch) {
  if (auto opened = open(); !opened) return opened;
  auto change = transaction::begin(file_->db);
  if (!change) return note(std::unexpected(change.error()));
  if (auto done = apply(*file_, batch); !done) return note(std::move(done));
  if (auto done = change->commit(); !done) return note(std::move(done));
  next_ += batch.append.size();
  return {};
}

result<std::vector<stored_record>> sqlite_outbox_store::read(record_seq from, std::size_t count_max) {
  if (auto opened = open(); !opened) return std::unexpected(opened.error());
  statement& query = file_->read;
  query.bind_all(signed_of(from), count_max);
  std::vector<stored_record> found;
  while (true) {
    auto row = query.step();
    if (row && *row && !sum_holds(query, 1)) row = fail(errc::storage_corrupt, "a record is damaged");
    if (!row) {
      (void)note(std::unexpected(row.error()));
      query.reset();
      return std::unexpected(row.error());
    }
    if (!*row) break;
    found.push_back({unsigned_of(query.int64(0)), query.blob(1)});
  }
  query.reset();
  return found;
}

status sqlite_outbox_store::checkpoint_file() {
  if (!file_) return {};
  return note(file_->db.checkpoint());
}

}  // namespace tomoshibi::firmware
