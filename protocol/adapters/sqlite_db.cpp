#include "protocol/adapters/sqlite_db.hpp"

#include "protocol/base/check.hpp"

#include <cstdlib>
#include <sqlite3.h>

namespace tomoshibi {
namespace {

constexpr int page_bytes = 4096;

errc code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL: return errc::storage_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::storage_corrupt;
    case SQLITE_ERROR: return errc::storage_corrupt;  // a statement that does not fit the tables: they are not ours any more
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return errc::storage_busy;
    default: return errc::storage_io;
  }
}

std::unexpected<error> failed(int rc, sqlite3* db, std::string_view doing) {
  std::string detail{doing};
  detail += ": ";
  detail += db != nullptr && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  detail += " (" + std::to_string(rc) + ")";
  return fail(code_of(rc), std::move(detail));
}

// Pages count for a limit only from SQLite's own page size on; WAL comes last because it is kept in the file.
std::string pragmas(const sqlite_options& o) {
  std::string sql;
  // Before anything reads the file: then a WAL needs no shared memory file, for which a full disk has no room.
  if (o.exclusive) sql += "PRAGMA locking_mode=EXCLUSIVE;";
  sql += "PRAGMA page_size=" + std::to_string(page_bytes) + ";PRAGMA foreign_keys=ON;";
  if (o.pages_max != 0) sql += "PRAGMA max_page_count=" + std::to_string(o.pages_max) + ";";
  if (o.read_only) return sql;
  return sql + "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=" +
         std::to_string(o.log_pages) + ";PRAGMA journal_size_limit=" + (o.keep_log ? "-1;" : "4194304;");
}

int note_log(void* into, sqlite3*, const char*, int pages) {
  *static_cast<std::uint32_t*>(into) = static_cast<std::uint32_t>(pages);
  return SQLITE_OK;
}

}  // namespace

void sqlite_db::closer::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void statement::finalizer::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

result<sqlite_db> sqlite_db::open(const std::string& path, const sqlite_options& options) {
  database_files& files = options.files != nullptr ? *options.files : machine_files();
  int flags = SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create && !options.read_only) {
    flags |= SQLITE_OPEN_CREATE;
    // SQLite makes files with the umask's mode; what we keep is nobody else's business.
    if (path != ":memory:") {
      if (auto made = files.make_private(path); !made) return std::unexpected(made.error());
    }
  }
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags, files.vfs());
  sqlite_db db;
  db.files_ = &files;
  db.db_.reset(raw);
  if (rc != SQLITE_OK) return failed(rc, raw, "open " + path);
  // The last connection to a file else removes its log, and with it the room that was taken.
  if (options.keep_log) sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
  if (auto set = db.exec(pragmas(options)); !set) return std::unexpected(set.error());
  if (options.log_pages == 0) sqlite3_wal_hook(raw, note_log, db.log_waiting_.get());
  // The file itself could be opened for writing a moment ago: so its header forbids it, by a version that no SQLite has.
  if (options.create && !options.read_only && sqlite3_db_readonly(raw, "main") == 1)
    return fail(errc::storage_corrupt, "open " + path + ": its header allows no writing");
  return db;
}

status sqlite_db::exec(std::string_view sql) {
  const std::string text{sql};
  const int rc = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "exec");
  return {};
}

result<statement> sqlite_db::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int rc = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw,
                                    &tail);
  statement made;
  made.s_.reset(raw);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "prepare");
  const bool whole = raw != nullptr && std::string_view{tail, sql.data() + sql.size()}.find_first_not_of(" \n\t;") ==
                                           std::string_view::npos;
  if (!whole) return fail(errc::storage_io, "prepare: not exactly one statement");
  return made;
}

result<std::int64_t> sqlite_db::query_int(std::string_view sql) {
  auto prepared = prepare(sql);
  if (!prepared) return std::unexpected(prepared.error());
  auto row = prepared->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(errc::not_found, "no row");
  return prepared->int64(0);
}

std::int64_t sqlite_db::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_.get()); }
std::int64_t sqlite_db::changes() const { return sqlite3_changes64(db_.get()); }
result<std::int64_t> sqlite_db::data_version() { return query_int("PRAGMA data_version"); }

namespace {

// The check tells a page that could not be read like one that is damaged: by a line of text. The first is a failed read,
// which may go away; to call it damage would throw a good file away.
bool unreadable(const std::string& finding) {
  constexpr std::string_view with_code = "unable to get the page. error code=";
  if (finding.find("failed to get page") != std::string::npos) return true;
  const auto at = finding.find(with_code);
  return at != std::string::npos && (std::atoi(finding.c_str() + at + with_code.size()) & 0xff) == SQLITE_IOERR;
}

status check_with(sqlite_db& db, std::string_view sql) {
  auto prepared = db.prepare(sql);
  if (!prepared) return std::unexpected(prepared.error());
  auto row = prepared->step();
  if (!row) return std::unexpected(row.error());
  const std::string finding = *row ? prepared->text(0) : "no answer";
  if (finding == "ok") return {};
  return fail(unreadable(finding) ? errc::storage_io : errc::storage_corrupt, "check: " + finding);
}
}  // namespace

status sqlite_db::quick_check() { return check_with(*this, "PRAGMA quick_check(1)"); }

status sqlite_db::integrity_check() {
  if (auto whole = check_with(*this, "PRAGMA integrity_check(1)"); !whole) return whole;
  auto keys = prepare("PRAGMA foreign_key_check");
  if (!keys) return std::unexpected(keys.error());
  auto row = keys->step();
  if (!row) return std::unexpected(row.error());
  if (*row) return fail(errc::storage_corrupt, "check: a row of " + keys->text(0) + " refers to nothing");
  return {};
}

status sqlite_db::checkpoint() {
  const int rc = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "checkpoint");
  return {};
}

status sqlite_db::move_log() {
  int waiting = 0;
  int moved = 0;
  const int rc = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &waiting, &moved);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "checkpoint");
  *log_waiting_ = static_cast<std::uint32_t>(waiting - moved);
  return {};
}

result<std::int64_t> sqlite_db::log_size() {
  sqlite3_file* log = nullptr;
  int rc = sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "log size");
  sqlite3_int64 size = 0;
  if (log == nullptr || log->pMethods == nullptr) return size;
  rc = log->pMethods->xFileSize(log, &size);
  if (rc != SQLITE_OK) return failed(rc, db_.get(), "log size");
  return size;
}

status sqlite_db::backup_to(const std::string& target_path) {
  // Copied under another name first, so that a half copy never carries the wanted one.
  const std::string part = target_path + ".part";
  if (auto gone = files_->remove(part); !gone) return gone;
  if (auto made = files_->make_private(part); !made) return made;
  sqlite3* raw = nullptr;
  int rc = sqlite3_open_v2(part.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE,
                           files_->vfs());
  std::unique_ptr<sqlite3, closer> target{raw};
  if (rc == SQLITE_OK) {
    sqlite3_backup* copy = sqlite3_backup_init(raw, "main", db_.get(), "main");
    rc = copy != nullptr ? sqlite3_backup_step(copy, -1) : sqlite3_extended_errcode(raw);
    if (copy != nullptr) {
      const int finished = sqlite3_backup_finish(copy);
      if (rc == SQLITE_DONE) rc = finished;
    }
  }
  // A copy of a WAL database says WAL in its header; closing the only connection leaves one plain file.
  if (rc == SQLITE_OK) rc = sqlite3_exec(raw, "PRAGMA journal_mode=DELETE", nullptr, nullptr, nullptr);
  std::unexpected<error> why = failed(rc, raw, "backup");
  target.reset();
  status renamed;
  if (rc == SQLITE_OK && (renamed = files_->rename(part, target_path))) return {};
  (void)files_->remove(part);
  if (rc == SQLITE_OK) return fail(renamed.error().code, "backup: " + renamed.error().detail);
  return why;
}

statement& statement::bind(int index, std::int64_t value) {
  if (const int rc = sqlite3_bind_int64(s_.get(), index, value); rc != SQLITE_OK) bind_error_ = rc;
  return *this;
}

statement& statement::bind(int index, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int rc = sqlite3_bind_text64(s_.get(), index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (rc != SQLITE_OK) bind_error_ = rc;
  return *this;
}

statement& statement::bind(int index, byte_view value) {
  static constexpr std::uint8_t empty = 0;
  const void* data = value.data() != nullptr ? value.data() : &empty;
  const int rc = sqlite3_bind_blob64(s_.get(), index, data, value.size(), SQLITE_TRANSIENT);
  if (rc != SQLITE_OK) bind_error_ = rc;
  return *this;
}

statement& statement::bind_null(int index) {
  if (const int rc = sqlite3_bind_null(s_.get(), index); rc != SQLITE_OK) bind_error_ = rc;
  return *this;
}

result<bool> statement::step() {
  sqlite3* db = sqlite3_db_handle(s_.get());
  if (bind_error_ != 0) return failed(bind_error_, db, "bind");
  const int rc = sqlite3_step(s_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  auto why = failed(rc, db, "step");
  sqlite3_reset(s_.get());  // lets go of the lock
  return why;
}

status statement::run() {
  while (true) {
    auto row = step();
    if (row && *row) continue;
    reset();
    if (!row) return std::unexpected(row.error());
    return {};
  }
}

void statement::reset() {
  sqlite3_reset(s_.get());
  sqlite3_clear_bindings(s_.get());
  bind_error_ = 0;
}

bool statement::is_null(int column) const { return sqlite3_column_type(s_.get(), column) == SQLITE_NULL; }
std::int64_t statement::int64(int column) const { return sqlite3_column_int64(s_.get(), column); }

std::string statement::text(int column) const {
  const unsigned char* data = sqlite3_column_text(s_.get(), column);
  if (data == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s_.get(), column));
  return {reinterpret_cast<const char*>(data), size};
}

bytes statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(s_.get(), column));
  if (data == nullptr) return {};
  return {data, data + sqlite3_column_bytes(s_.get(), column)};
}

std::optional<std::int64_t> statement::maybe_int64(int column) const {
  return is_null(column) ? std::nullopt : std::optional{int64(column)};
}
std::optional<std::string> statement::maybe_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional{text(column)};
}
std::optional<bytes> statement::maybe_blob(int column) const {
  return is_null(column) ? std::nullopt : std::optional{blob(column)};
}

// Somebody moved, deleted or emptied the file while we have it: what is written from now on would be gone when it is closed.
status sqlite_db::still_there() {
  int moved = 0;
  if (sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
    return fail(errc::storage_corrupt, "the database file was moved or deleted");
  sqlite3_file* file = nullptr;
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr)
    return {};                           // in memory
  if (file->pMethods->xFileSize(file, &size) == SQLITE_OK && size == 0)
    return fail(errc::storage_corrupt, "the database file was emptied");
  return {};
}

result<transaction> transaction::begin(sqlite_db& db) {
  if (auto there = db.still_there(); !there) return std::unexpected(there.error());
  if (auto begun = db.exec("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
  return transaction{db};
}

transaction::~transaction() {
  // SQLite may have rolled back by itself after a full disk; a second ROLLBACK then fails and changes nothing.
  if (db_ != nullptr) (void)db_->exec("ROLLBACK");
}

status transaction::commit() {
  TOMO_REQUIRE(db_ != nullptr);
  if (auto done = db_->exec("COMMIT"); !done) return done;
  db_ = nullptr;
  return {};
}

namespace {

status apply_step(sqlite_db& db, const sqlite_schema& schema, std::size_t index) {
  auto change = transaction::begin(db);
  if (!change) return std::unexpected(change.error());
  if (auto done = db.exec(schema.steps[index]); !done) return done;
  std::string mark = "PRAGMA user_version=" + std::to_string(index + 1);
  if (index == 0) mark += ";PRAGMA application_id=" + std::to_string(schema.application_id);
  if (auto done = db.exec(mark); !done) return done;
  return change->commit();
}

}  // namespace

result<std::int64_t> migrate(sqlite_db& db, const sqlite_schema& schema) {
  auto version = db.query_int("PRAGMA user_version");
  if (!version) return version;
  auto owner = db.query_int("PRAGMA application_id");
  if (!owner) return owner;
  const auto newest = static_cast<std::int64_t>(schema.steps.size());
  if ((*version != 0 || *owner != 0) && *owner != schema.application_id)
    return fail(errc::refused, "the file belongs to another program (application_id " + std::to_string(*owner) + ")");
  if (*version < 0 || *version > newest)
    return fail(errc::storage_version, "made by a newer program: schema version " + std::to_string(*version) +
                                           ", this program knows up to " + std::to_string(newest));
  for (std::int64_t n = *version; n < newest; ++n)
    if (auto done = apply_step(db, schema, static_cast<std::size_t>(n)); !done) return std::unexpected(done.error());
  return version;
}

}  // namespace tomoshibi
