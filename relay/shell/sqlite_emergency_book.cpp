#include "relay/shell/sqlite_emergency_book.hpp"

#include "protocol/adapters/put_aside.hpp"
#include "relay/shell/emergency_rows.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::relay {
namespace {

constexpr millis busy_timeout{500};           // tomoshibi-ctl only reads; nobody else writes
constexpr std::int64_t page_bytes = 4096;
constexpr int pad_rounds_max = 8;

struct opened_file {
  sqlite_db db;
  bool fresh = false;                         // there was nothing in it
  std::string mark;
  bool log = false;                           // one lay beside it when it was last reserved
};

result<opened_file> open_file(const std::string& path, database_files& files) {
  auto db = sqlite_db::open(path, {.busy_timeout = busy_timeout, .log_pages = 0, .keep_log = true, .files = &files});
  if (!db) return std::unexpected(db.error());
  const auto former = migrate(*db, emergency_schema());
  if (!former) return std::unexpected(former.error());
  if (auto whole = db->quick_check(); !whole) return std::unexpected(whole.error());
  auto s = db->prepare("SELECT mark, log FROM book");
  if (!s) return std::unexpected(s.error());
  const auto row = s->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(errc::storage_corrupt, "emergency.db: without its mark");
  opened_file out{std::move(*db), *former == 0, s->text(0), s->int64(1) != 0};
  return out;
}

// `had_log`: before the file was opened.
book_loss loss_of(const opened_file& file, const std::string& known, bool had_log) {
  if (file.fresh) return known.empty() ? book_loss::none : book_loss::missing;
  if (!known.empty() && known != file.mark) return book_loss::another;
  return file.log && !had_log ? book_loss::log_missing : book_loss::none;
}

template <class Row>
result<std::optional<Row>> first_of(result<std::vector<Row>> rows) {
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  return std::optional<Row>{std::move(rows->front())};
}

// Reads one kind into its place; answers whether it could.
template <class Row>
status fill(statement_cache& statements, const char* sql, std::vector<Row>& into) {
  auto rows = read_rows<Row>(statements, sql);
  if (!rows) return std::unexpected(rows.error());
  into = std::move(*rows);
  return {};
}

}  // namespace

sqlite_emergency_book::sqlite_emergency_book(sqlite_db db) : db_(std::move(db)), statements_(db_) {}

result<std::unique_ptr<sqlite_emergency_book>> sqlite_emergency_book::open(const std::string& path,
                                                                           const emergency_book_options& options) {
  database_files& files = options.files != nullptr ? *options.files : machine_files();
  if (options.read_only) {
    if (!files.exists(path)) return fail(errc::not_found, path + ": no such file; no relay with the emergency part ran here");
    auto db = sqlite_db::open(path, {.create = false, .read_only = true, .files = &files});
    if (!db) return std::unexpected(db.error());
    return std::unique_ptr<sqlite_emergency_book>(new sqlite_emergency_book(std::move(*db)));
  }
  const bool had_log = files.exists(path + "-wal");
  bool put_away = false;
  auto file = open_file(path, files);
  if (!file && unusable(file.error().code)) {
    if (auto aside = put_aside(files, path); !aside) return std::unexpected(aside.error());
    put_away = true;
    file = open_file(path, files);
  }
  if (!file) return std::unexpected(error{file.error().code, path + ": " + file.error().detail});
  const book_loss lost = put_away ? book_loss::unreadable : loss_of(*file, options.mark, had_log);
  std::unique_ptr<sqlite_emergency_book> book(new sqlite_emergency_book(std::move(file->db)));
  book->lost_ = lost;
  book->mark_ = std::move(file->mark);
  (void)book->reserve();
  return book;
}

// A book of the first schema knows of no log.
status sqlite_emergency_book::log_leaves(sqlite_db& db) {
  if (!db.prepare("SELECT log FROM book")) return {};
  return db.exec("UPDATE book SET log = 0");
}

// Grows the log, then leaves free pages in the file: written to while there is room, and reused when there is none.
bool sqlite_emergency_book::reserve() {
  reserved_ = false;
  const auto free = db_.query_int("PRAGMA freelist_count");
  const bool enough = free && *free >= emergency_free_pages;
  for (int round = 0; round < pad_rounds_max; ++round) {
    const auto log = db_.log_size();
    if (!log) return false;
    if (enough && *log >= emergency_log_reserve) break;
    if (round > 0 && *log >= emergency_log_reserve) break;
    if (!statements_.run("INSERT OR REPLACE INTO pad (id, data) VALUES (1, randomblob(?))", emergency_free_pages * page_bytes))
      return give_back();
  }
  if (!db_.exec("DELETE FROM pad")) return false;
  const auto log = db_.log_size();
  if (!log || (*log > 0 && !db_.exec("UPDATE book SET log = 1 WHERE log = 0"))) return false;
  reserved_ = db_.move_log().has_value();
  return reserved_;
}

// A disk too small for it: what was taken of the log is given back, or slots and reports would have no room at all.
bool sqlite_emergency_book::give_back() {
  (void)db_.exec("DELETE FROM pad");
  (void)db_.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return false;
}

result<emergency_state> sqlite_emergency_book::load() {
  emergency_state s;
  const auto all = [&]() -> status {
    if (auto ok = fill(statements_, "SELECT " TOMO_PRESS_COLUMNS " FROM presses WHERE closed IS NULL ORDER BY known", s.presses); !ok)
      return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_EVENT_COLUMNS " FROM guard_events WHERE state = 1 ORDER BY id", s.events); !ok)
      return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_WATCH_COLUMNS " FROM watches", s.watches); !ok) return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_TROUBLE_COLUMNS " FROM troubles WHERE ended IS NULL", s.troubles); !ok) return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_ALERT_COLUMNS " FROM alerts WHERE ended IS NULL", s.alerts); !ok) return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_DISPATCH_COLUMNS " FROM dispatches WHERE accepted IS NULL", s.dispatches); !ok)
      return ok;
    if (auto ok = fill(statements_, "SELECT " TOMO_DRILL_COLUMNS " FROM drills WHERE ended IS NULL", s.drills); !ok) return ok;
    return fill(statements_, "SELECT " TOMO_EMERGENCY_MAIL_COLUMNS " FROM mails WHERE state = 1 ORDER BY queued", s.mails);
  };
  if (auto ok = all(); !ok) return std::unexpected(ok.error());
  auto query = statements_.get("SELECT account, last, event FROM sequences");
  if (!query) return std::unexpected(query.error());
  for (;;) {
    const auto more = (*query)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    row_reader r{**query};
    s.sequences[r.text(0)] = r.whole<std::uint16_t>(1, 1, 9999);
    if (!r.ok()) return fail(errc::storage_corrupt, "emergency.db: a sequence that cannot be");
    s.last_event = std::max(s.last_event, static_cast<guard_event_id>((*query)->int64(2)));
  }
  s.lost = std::exchange(lost_, book_loss::none);
  return s;
}

status sqlite_emergency_book::commit(const emergency_batch& batch) {
  auto tx = transaction::begin(db_);
  if (!tx) return std::unexpected(tx.error());
  for (const auto& row : batch)
    if (auto ok = write_row(statements_, row); !ok) return ok;
  if (auto ok = tx->commit(); !ok) return ok;
  if (db_.log_waiting() >= emergency_log_full) (void)db_.move_log();   // nobody let it rest
  return {};
}

// What is open is never dropped. Of what is over, by age and by number, the oldest first.
status sqlite_emergency_book::drop_old(wall_at now, std::size_t most) {
  struct kind {
    const char* by_age;
    const char* by_number;
  };
  static constexpr std::array kinds = {
      kind{"DELETE FROM presses WHERE closed < ?",
           "DELETE FROM presses WHERE closed IS NOT NULL AND known <= (SELECT known FROM presses ORDER BY known DESC LIMIT 1 OFFSET ?)"},
      kind{"DELETE FROM guard_events WHERE ended < ?",
           "DELETE FROM guard_events WHERE state <> 1 AND made <= (SELECT made FROM guard_events ORDER BY made DESC LIMIT 1 OFFSET ?)"},
      kind{"DELETE FROM troubles WHERE ended < ?",
           "DELETE FROM troubles WHERE ended IS NOT NULL AND since <= (SELECT since FROM troubles ORDER BY since DESC LIMIT 1 OFFSET ?)"},
      kind{"DELETE FROM alerts WHERE ended < ?",
           "DELETE FROM alerts WHERE ended IS NOT NULL AND begun <= (SELECT begun FROM alerts ORDER BY begun DESC LIMIT 1 OFFSET ?)"},
      kind{"DELETE FROM dispatches WHERE accepted < ?",
           "DELETE FROM dispatches WHERE accepted IS NOT NULL AND asked <= (SELECT asked FROM dispatches ORDER BY asked DESC LIMIT 1"
           " OFFSET ?)"},
      kind{"DELETE FROM drills WHERE ended < ?",
           "DELETE FROM drills WHERE ended IS NOT NULL AND asked <= (SELECT asked FROM drills ORDER BY asked DESC LIMIT 1 OFFSET ?)"},
      kind{"DELETE FROM mails WHERE state <> 1 AND queued < ?",
           "DELETE FROM mails WHERE state <> 1 AND queued <= (SELECT queued FROM mails ORDER BY queued DESC LIMIT 1 OFFSET ?)"}};
  auto tx = transaction::begin(db_);
  if (!tx) return std::unexpected(tx.error());
  for (const kind& k : kinds) {
    if (auto ok = statements_.run(k.by_age, to_ms(now - emergency_history)); !ok) return ok;
    if (auto ok = statements_.run(k.by_number, static_cast<std::int64_t>(most)); !ok) return ok;
  }
  if (auto ok = tx->commit(); !ok) return ok;
  (void)reserve();
  return {};
}

// Not in a commit, if it can be: three syncs more would stand between a press and its answer.
void sqlite_emergency_book::rest(bool calm) {
  if (db_.log_waiting() >= (calm ? emergency_log_calm : emergency_log_long)) (void)db_.move_log();  // fails: after the next commit
}

result<std::optional<press_row>> sqlite_emergency_book::find_press(press_id id) {
  return first_of(read_rows<press_row>(statements_, "SELECT " TOMO_PRESS_COLUMNS " FROM presses WHERE id = ?", number(id)));
}

result<std::optional<alert_row>> sqlite_emergency_book::find_alert(home_id home, appliance_id appliance, std::int32_t since) {
  return first_of(read_rows<alert_row>(statements_,
                                       "SELECT " TOMO_ALERT_COLUMNS " FROM alerts WHERE home = ? AND appliance = ? AND since = ?",
                                       number(home), number(appliance), since));
}

result<std::optional<dispatch_row>> sqlite_emergency_book::find_dispatch(dispatch_id id) {
  return first_of(read_rows<dispatch_row>(statements_, "SELECT " TOMO_DISPATCH_COLUMNS " FROM dispatches WHERE id = ?", number(id)));
}

result<std::optional<drill_row>> sqlite_emergency_book::find_drill(std::uint64_t request) {
  return first_of(read_rows<drill_row>(statements_, "SELECT " TOMO_DRILL_COLUMNS " FROM drills WHERE request = ?",
                                       static_cast<std::int64_t>(request)));
}

result<std::vector<press_row>> sqlite_emergency_book::presses(wall_at from, wall_at until, std::size_t most) {
  return read_rows<press_row>(statements_, "SELECT " TOMO_PRESS_COLUMNS
                              " FROM presses WHERE known >= ? AND known < ? ORDER BY known LIMIT ?",
                              number(from), number(until), static_cast<std::int64_t>(most));
}

result<std::vector<guard_event_row>> sqlite_emergency_book::events(wall_at from, wall_at until, std::size_t most) {
  return read_rows<guard_event_row>(statements_, "SELECT " TOMO_EVENT_COLUMNS
                                    " FROM guard_events WHERE made >= ? AND made < ? ORDER BY made LIMIT ?",
                                    number(from), number(until), static_cast<std::int64_t>(most));
}

}  // namespace tomoshibi::relay
