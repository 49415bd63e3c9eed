#include "firmware/shell/sqlite_outbox_store.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr std::int32_t application_id = 0x746d6f62;  // "tmob"

// Released steps are never changed; a change of the schema is a new one.
constexpr std::array<std::string_view, 1> schema_steps = {
    "CREATE TABLE records (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,"
    " checkpoint BLOB, config BLOB);"};

bool unusable(errc code) { return code == errc::storage_corrupt || code == errc::refused; }

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
  if (auto whole = db->quick_check(); !whole) return std::unexpected(whole.error());
  // Also where a former start got no further than the schema.
  const auto epoch = std::to_string(signed_of(std::to_underlying(options_.new_epoch())));
  auto made = db->exec("INSERT OR IGNORE INTO state (id, epoch, next_seq) VALUES (1, " + epoch + ", 1)");
  if (!made) return std::unexpected(made.error());
  open_file file{std::move(*db), {}, {}, {}, {}, {}, {}, {}};
  const std::pair<statement*, std::string_view> wanted[] = {
      {&file.append, "INSERT INTO records (seq, data) VALUES (?, ?)"},
      {&file.replace, "UPDATE records SET data = ?2 WHERE seq = ?1"},
      {&file.trim, "DELETE FROM records WHERE seq <= ?"},
      {&file.read, "SELECT seq, data FROM records WHERE seq >= ? ORDER BY seq LIMIT ?"},
      {&file.set_next, "UPDATE state SET next_seq = ?"},
      {&file.set_checkpoint, "UPDATE state SET checkpoint = ?"},
      {&file.set_config, "UPDATE state SET config = ?"},
  };
  for (const auto& [into, sql] : wanted) {
    auto prepared = file.db.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *into = std::move(*prepared);
  }
  return file;
}

status sqlite_outbox_store::put_aside() {
  const std::string aside = options_.path + ".corrupt";
  // The log belongs to the file: it is kept beside it, for whoever wants to look.
  (void)files().rename(options_.path + "-wal", aside + "-wal");
  (void)files().remove(options_.path + "-shm");
  return files().rename(options_.path, aside);
}

status sqlite_outbox_store::open() {
  if (file_) return {};
  auto opened = open_here();
  if (!opened && unusable(opened.error().code)) {
    if (auto aside = put_aside(); !aside) return aside;
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
  auto query = file_->db.prepare("SELECT epoch, next_seq, checkpoint, config, (SELECT min(seq) FROM records) FROM state");
  if (!query) return std::unexpected(query.error());
  auto row = query->step();
  if (row && !*row) row = fail(errc::storage_corrupt, "the outbox has no state row");
  if (!row) {
    (void)note(std::unexpected(row.error()));
    return std::unexpected(row.error());
  }
  outbox_state state;
  state.epoch = outbox_epoch{unsigned_of(query->int64(0))};
  state.next = unsigned_of(query->int64(1));
  state.checkpoint = query->maybe_blob(2);
  state.config = query->maybe_blob(3);
  state.oldest = query->is_null(4) ? state.next : unsigned_of(query->int64(4));
  state.recreated = std::exchange(recreated_, false);
  return state;
}

status sqlite_outbox_store::apply(open_file& file, const outbox_batch& batch) {
  record_seq next = next_;
  for (const auto& record : batch.append) {
    if (record.seq != next) return fail(errc::refused, "an appended record does not follow the last one");
    if (auto done = file.append.bind_all(signed_of(record.seq), record.data).run(); !done) return done;
    ++next;
  }
  for (const auto& record : batch.replace) {
    if (auto done = file.replace.bind_all(signed_of(record.seq), record.data).run(); !done) return done;
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
    if (auto done = file.set_checkpoint.bind_all(*batch.checkpoint).run(); !done) return done;
  }
  if (batch.config) {
    if (auto done = file.set_config.bind_all(*batch.config).run(); !done) return done;
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
