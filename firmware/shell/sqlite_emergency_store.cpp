#include "firmware/shell/sqlite_emergency_store.hpp"

#include "protocol/adapters/put_aside.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr std::int32_t application_id = 0x746d6265;  // "tmbe"

// Released steps are never changed; a change of the schema is a new one.
constexpr std::array<std::string_view, 1> schema_steps = {
    "CREATE TABLE presses (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE buttons (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE pad (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);"};

constexpr std::uint32_t pages_max = 64;       // 30 are used; a bound should something go wrong
// The log is moved into the file from so many pages on; a put is one page. Three syncs, while nobody waits for a lamp, if it can be.
constexpr std::uint32_t log_calm = 8;         // behind a press that is over, or a button
constexpr std::uint32_t log_most = 32;        // behind a press
constexpr std::size_t pad_size = 16 * 4096;   // written to grow the log, 16 pages at once
constexpr int pad_rounds_max = 8;

template <class Row>
struct held_row {
  std::int64_t slot = 0;
  Row row;
};
template <class Row>
struct found_rows {
  std::vector<held_row<Row>> rows;
  std::vector<std::int64_t> damaged;
};

template <class Row>
result<found_rows<Row>> read_rows(statement& query, result<Row> (&decode)(std::int64_t, byte_view)) {
  found_rows<Row> found;
  while (true) {
    const auto more = query.step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const std::int64_t slot = query.int64(0);
    if (auto row = decode(slot, query.blob(1))) found.rows.push_back({slot, std::move(*row)});
    else found.damaged.push_back(slot);
  }
  query.reset();
  return found;
}

template <class Row>
std::uint64_t next_order(const found_rows<Row>& found) {
  std::uint64_t last = 0;
  for (const auto& h : found.rows) last = std::max(last, h.row.order);
  return last + 1;
}

// What is held, in the order of the puts.
template <class Row, class What>
void list(found_rows<Row>& found, std::vector<What>& into) {
  std::ranges::sort(found.rows, {}, [](const held_row<Row>& h) { return h.row.order; });
  for (auto& h : found.rows)
    if (h.row.used) into.push_back(std::move(h.row.what));
}

status write_row(sqlite_db& db, statement& write, std::int64_t slot, const bytes& data) {
  auto change = transaction::begin(db);
  if (!change) return std::unexpected(change.error());
  if (auto done = write.bind_all(slot, data).run(); !done) return done;
  if (db.changes() != 1) return fail(errc::storage_corrupt, "a row is missing");
  return change->commit();
}

// Rows that are missing or damaged become free ones. A new file has none at all.
template <class Row>
result<std::size_t> mend(statement& read, statement& make, std::size_t count, result<Row> (&decode)(std::int64_t, byte_view)) {
  const auto found = read_rows<Row>(read, decode);
  if (!found) return std::unexpected(found.error());
  const bool fresh = found->rows.empty() && found->damaged.empty();
  std::size_t made = 0;
  for (std::int64_t slot = 1; slot <= static_cast<std::int64_t>(count); ++slot) {
    if (std::ranges::find(found->rows, slot, &held_row<Row>::slot) != found->rows.end()) continue;
    if (auto done = make.bind_all(slot, encode_row(slot, Row{})).run(); !done) return std::unexpected(done.error());
    ++made;
  }
  return fresh ? 0 : made;
}

status grow_log(sqlite_db& db) {
  auto pad = db.prepare("INSERT INTO pad (id, data) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET data = ?1");
  if (!pad) return std::unexpected(pad.error());
  for (int round = 1; round <= pad_rounds_max; ++round) {
    const auto size = db.log_size();
    if (!size) return std::unexpected(size.error());
    if (*size >= emergency_log_reserve) return {};
    // Never the same bytes twice: pages that do not change are not written.
    static std::uint8_t fill = 0;
    if (auto done = pad->bind_all(bytes(pad_size, ++fill)).run(); !done) return done;
  }
  return fail(errc::storage_io, "the log does not grow");
}

// Takes the room: in the log, and in the file by moving the log into it, which leaves no holes.
bool reserve(sqlite_db& db) { return grow_log(db) && db.move_log(); }

// A log that cannot be moved is moved behind a later write.
status then_move_log(status written, sqlite_db& db, std::uint32_t from) {
  if (written && db.log_waiting() >= from) (void)db.move_log();
  return written;
}

}  // namespace

sqlite_emergency_store::sqlite_emergency_store(sqlite_emergency_options options) : options_(std::move(options)) {}

// ---- opening

result<sqlite_emergency_store::open_file> sqlite_emergency_store::open_here() {
  auto db = sqlite_db::open(options_.path, {.exclusive = true, .busy_timeout = millis{500}, .pages_max = pages_max,
                                            .log_pages = 0, .keep_log = true, .files = options_.files});
  if (!db) return std::unexpected(db.error());
  if (auto former = migrate(*db, {application_id, schema_steps}); !former) return std::unexpected(former.error());
  if (auto whole = db->quick_check(); !whole) {
    if (whole.error().code == errc::storage_io && ++unreadable_ >= unreadable_max) whole.error().code = errc::storage_corrupt;
    return std::unexpected(whole.error());
  }
  unreadable_ = 0;
  open_file file{std::move(*db), {}, {}};
  const std::pair<statement*, std::string_view> wanted[] = {
      {&file.presses.read, "SELECT slot, data FROM presses"},
      {&file.presses.write, "UPDATE presses SET data = ?2 WHERE slot = ?1"},
      {&file.presses.make, "INSERT OR REPLACE INTO presses (slot, data) VALUES (?1, ?2)"},
      {&file.buttons.read, "SELECT slot, data FROM buttons"},
      {&file.buttons.write, "UPDATE buttons SET data = ?2 WHERE slot = ?1"},
      {&file.buttons.make, "INSERT OR REPLACE INTO buttons (slot, data) VALUES (?1, ?2)"},
  };
  for (const auto& [into, sql] : wanted) {
    auto prepared = file.db.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *into = std::move(*prepared);
  }
  auto change = transaction::begin(file.db);
  if (!change) return std::unexpected(change.error());
  const auto presses = mend<press_row>(file.presses.read, file.presses.make, presses_max, decode_press_row);
  if (!presses) return std::unexpected(presses.error());
  const auto buttons = mend<button_row>(file.buttons.read, file.buttons.make, known_buttons_max, decode_button_row);
  if (!buttons) return std::unexpected(buttons.error());
  if (auto done = change->commit(); !done) return std::unexpected(done.error());
  damaged_ += *presses + *buttons;
  file.reserved = reserve(file.db);
  return file;
}

// Of a damaged file, what can be had: row by row, because a row may lie on a page that is whole.
sqlite_emergency_store::saved_rows sqlite_emergency_store::save_rows() {
  saved_rows saved;
  auto db = sqlite_db::open(options_.path, {.exclusive = true, .busy_timeout = millis{500}, .keep_log = true,
                                            .files = options_.files});
  if (!db) return saved;
  const auto save = [&db](std::string_view sql, std::size_t count, std::vector<saved_row>& into, auto& decode) {
    auto query = db->prepare(sql);
    for (std::int64_t slot = 1; query && slot <= static_cast<std::int64_t>(count); ++slot) {
      const auto row = query->bind_all(slot).step();
      if (row && *row && decode(slot, query->blob(0))) into.push_back({slot, query->blob(0)});
      query->reset();
    }
  };
  save("SELECT data FROM presses WHERE slot = ?", presses_max, saved.presses, decode_press_row);
  save("SELECT data FROM buttons WHERE slot = ?", known_buttons_max, saved.buttons, decode_button_row);
  return saved;
}

result<sqlite_emergency_store::open_file> sqlite_emergency_store::open_anew() {
  saved_ = save_rows();
  if (auto aside = put_aside(files(), options_.path); !aside) return std::unexpected(aside.error());
  recreated_ = true;
  damaged_ += presses_max - saved_->presses.size() + known_buttons_max - saved_->buttons.size();
  auto opened = open_here();
  if (opened || opened.error().code != errc::storage_full) return opened;
  drop_aside(files(), options_.path);
  return open_here();
}

status sqlite_emergency_store::restore(open_file& file) {
  auto change = transaction::begin(file.db);
  if (!change) return std::unexpected(change.error());
  for (const saved_row& row : saved_->presses)
    if (auto done = file.presses.write.bind_all(row.slot, row.data).run(); !done) return done;
  for (const saved_row& row : saved_->buttons)
    if (auto done = file.buttons.write.bind_all(row.slot, row.data).run(); !done) return done;
  return change->commit();
}

status sqlite_emergency_store::open() {
  if (file_) return {};
  auto opened = open_here();
  if (!opened && unusable(opened.error().code)) opened = open_anew();
  if (!opened) return std::unexpected(opened.error());
  if (saved_)
    if (auto done = restore(*opened); !done) return done;
  saved_.reset();
  file_.emplace(std::move(*opened));
  return {};
}

// ---- the port

result<emergency_state> sqlite_emergency_store::load() {
  if (auto opened = open(); !opened) return std::unexpected(opened.error());
  auto presses = read_rows<press_row>(file_->presses.read, decode_press_row);
  if (!presses) return std::unexpected(presses.error());
  auto buttons = read_rows<button_row>(file_->buttons.read, decode_button_row);
  if (!buttons) return std::unexpected(buttons.error());
  emergency_state state;
  list(*presses, state.open);
  list(*buttons, state.buttons);
  state.damaged = std::exchange(damaged_, 0) + presses->damaged.size() + buttons->damaged.size();
  return state;
}

status sqlite_emergency_store::put(const press& what) {
  if (what.button.size() > button_name_max) return fail(errc::refused, "the name of a button is too long");
  if (auto opened = open(); !opened) return opened;
  const auto found = read_rows<press_row>(file_->presses.read, decode_press_row);
  if (!found) return std::unexpected(found.error());
  auto at = std::ranges::find_if(found->rows, [&what](const auto& h) { return h.row.used && h.row.what.id == what.id; });
  press_row row{.used = true, .order = at != found->rows.end() ? at->row.order : next_order(*found), .what = what};
  if (at == found->rows.end()) at = std::ranges::find_if(found->rows, [](const auto& h) { return !h.row.used; });
  if (at == found->rows.end()) return fail(errc::refused, "no room for another press");
  return then_move_log(write_row(file_->db, file_->presses.write, at->slot, encode_row(at->slot, row)), file_->db, log_most);
}

status sqlite_emergency_store::forget(press_id id) {
  if (auto opened = open(); !opened) return opened;
  if (!file_->reserved) file_->reserved = reserve(file_->db);  // here nobody waits for a lamp
  const auto found = read_rows<press_row>(file_->presses.read, decode_press_row);
  if (!found) return std::unexpected(found.error());
  const auto at = std::ranges::find_if(found->rows, [id](const auto& h) { return h.row.used && h.row.what.id == id; });
  if (at == found->rows.end()) return {};
  return then_move_log(write_row(file_->db, file_->presses.write, at->slot, encode_row(at->slot, press_row{})), file_->db, log_calm);
}

status sqlite_emergency_store::put_button(const known_button& what) {
  if (what.button.size() > button_name_max) return fail(errc::refused, "the name of a button is too long");
  if (auto opened = open(); !opened) return opened;
  const auto found = read_rows<button_row>(file_->buttons.read, decode_button_row);
  if (!found) return std::unexpected(found.error());
  if (found->rows.empty()) return fail(errc::storage_corrupt, "every row is damaged");
  auto at = std::ranges::find_if(found->rows, [&what](const auto& h) { return h.row.used && h.row.what.button == what.button; });
  // Free rows have order 0: they are taken first, then the one that was put longest ago.
  if (at == found->rows.end()) at = std::ranges::min_element(found->rows, {}, [](const auto& h) { return h.row.order; });
  const button_row row{.used = true, .order = next_order(*found), .what = what};
  return then_move_log(write_row(file_->db, file_->buttons.write, at->slot, encode_row(at->slot, row)), file_->db, log_calm);
}

}  // namespace tomoshibi::firmware
