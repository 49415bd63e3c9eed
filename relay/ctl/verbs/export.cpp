#include "protocol/adapters/pki.hpp"
#include "relay/ctl/emergency_data.hpp"
#include "relay/ctl/home_data.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/usage_day.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

struct column {
  std::string name;
  bool text = false;
};

result<std::vector<column>> columns_of(sqlite_db& db, std::string_view table) {
  auto s = db.prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid");
  if (!s) return std::unexpected(s.error());
  s->bind(1, table);
  std::vector<column> out;
  const auto done = relay::for_each_row(*s, "schema", [&out](const statement& row) {
    out.push_back({row.text(0), row.text(1) == "TEXT"});
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

std::string json_row(const statement& s, const std::vector<column>& columns, std::string_view secret) {
  json_object o;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const int at = static_cast<int>(i);
    if (columns[i].name == secret) o.add(columns[i].name, s.text(at).empty() ? "" : "set");
    else if (columns[i].text) o.add(columns[i].name, s.maybe_text(at));
    else o.add(columns[i].name, s.maybe_int64(at));
  }
  return o.text();
}

// A table as it is: one row a line, column names as keys, times as UTC milliseconds.
result<std::string> table_lines(sqlite_db& db, const home_table& t, home_id home) {
  const auto columns = columns_of(db, t.name);
  if (!columns) return std::unexpected(columns.error());
  std::string list;
  for (const auto& c : *columns) list += (list.empty() ? "" : ", ") + c.name;
  auto s = db.prepare("SELECT " + list + " FROM " + std::string(t.name) + " WHERE " + std::string(t.of_home));
  if (!s) return std::unexpected(s.error());
  s->bind(1, relay::number(home));
  std::string out;
  const auto done = relay::for_each_row(*s, "export", [&](const statement& row) {
    out += json_row(row, *columns, t.secret) + "\n";
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

struct day_range {
  std::int64_t first = 0;
  std::int64_t last = -1;
};

result<day_range> days_of(sqlite_db& db, home_id home) {
  auto s = db.prepare("SELECT min(day), max(day) FROM day WHERE home = ?1");
  if (!s) return std::unexpected(s.error());
  const auto row = s->bind(1, relay::number(home)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row || s->is_null(0)) return day_range{};
  return day_range{s->int64(0) - 1, s->int64(1) + 1};  // the home's own days may begin a day earlier or end later
}

bool anything(const usage_row& row) {
  for (const auto& c : row.cells)
    if (c.present) return true;
  return false;
}

// Slots in the form of `usage --json`, which a person can read, one file a home.
result<std::string> slot_lines(registry& r, const relay::home& h) {
  const auto range = days_of(r.db(), h.id);
  if (!range) return std::unexpected(range.error());
  std::string out;
  for (std::int64_t day = range->first; day <= range->last; ++day) {
    auto d = read_usage(r, h, std::chrono::sys_days{std::chrono::days{day}});
    if (!d) return std::unexpected(d.error());
    std::erase_if(d->rows, [](const usage_row& row) { return !anything(row); });
    out += usage_as_json(*d);
  }
  return out;
}

result<std::string> lines_of(registry& r, const home_table& t, const relay::home& h) {
  if (t.name == "day") return slot_lines(r, h);
  return table_lines(r.db(), t, h.id);
}

// What the emergency book holds of a home, beside the rest.
status write_emergency_files(const context& c, const relay::home& h, const std::string& folder) {
  auto book = open_emergency_file(c);
  if (!book) return std::unexpected(book.error());
  if (!*book) return {};
  for (const home_table& t : emergency_home_tables()) {
    const auto lines = table_lines(**book, t, h.id);
    if (!lines) return std::unexpected(lines.error());
    if (auto ok = write_secret_file(folder + "/emergency_" + std::string(t.name) + ".jsonl", *lines); !ok) return ok;
  }
  return {};
}

status write_files(registry& r, const relay::home& h, const std::string& folder) {
  for (const home_table& t : home_tables()) {
    if (t.name == "day_broken") continue;  // bytes nobody can read
    const auto lines = lines_of(r, t, h);
    if (!lines) return std::unexpected(lines.error());
    if (auto ok = write_secret_file(folder + "/" + std::string(t.name) + ".jsonl", *lines); !ok) return ok;
  }
  return {};
}

status export_home(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const std::string folder = c.text("FOLDER");
  if (::mkdir(folder.c_str(), 0700) != 0) {
    const int e = errno;
    if (e == EEXIST) return fail(errc::already_exists, folder + ": exists already; name a folder that is to be made");
    return fail(errc::storage_io, folder + ": cannot make it: " + std::strerror(e));
  }
  auto ok = write_files(*r, *h, folder);
  if (ok) ok = write_emergency_files(c, *h, folder);
  if (!ok) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return ok;
  }
  c.say("home " + shown(h->id) + " exported to " + folder);
  return {};
}

}  // namespace

verb_list export_verbs() {
  return {{"", "export", "Write everything about a home as JSON lines, one file for each kind",
           {{"HOME", positional, "Number or name"}, {"FOLDER", positional, "Folder to make"}}, "  export 1 ./home-1", export_home}};
}

}  // namespace tomoshibi::ctl
