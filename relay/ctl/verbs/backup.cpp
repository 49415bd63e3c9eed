#include "relay/ctl/emergency_data.hpp"
#include "relay/ctl/folder_owner.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/relay_link.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/database_lock.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"
#include "relay/shell/store_schema.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;
namespace fs = std::filesystem;

// Two files: the book of presses is one of its own.
std::string emergency_copy_of(const std::string& file) { return file + ".emergency"; }

// The copy is one file.
status finish_copy(const std::string& path) {
  auto db = sqlite_db::open(path, {.create = false});
  if (!db) return std::unexpected(db.error());
  if (auto ok = relay::sqlite_emergency_book::log_leaves(*db); !ok) return ok;
  return db->exec("PRAGMA journal_mode = DELETE");
}

status sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(errc::storage_io, folder.string() + ": cannot open");
  const bool done = ::fsync(fd) == 0;
  ::close(fd);
  return done ? status{} : fail(errc::storage_io, folder.string() + ": cannot sync");
}

// The book that is there knows more than its copy: what was sent since, and up to which number. The copy is for a machine that
// has none.
status restore_emergency(context& c, const std::string& source) {
  const std::string copy = emergency_copy_of(source), place = c.folder.emergency_database();
  if (!fs::exists(copy)) return {};
  if (fs::exists(place)) {
    c.say("the emergency book that is there is kept; " + copy + " was not needed");
    return {};
  }
  auto db = sqlite_db::open(copy, {.create = false, .read_only = true});
  if (!db) return std::unexpected(db.error());
  if (auto ok = db->integrity_check(); !ok) return fail(ok.error().code, copy + ": " + ok.error().detail);
  // Whole before it has its name. A log that was left there is of another file: SQLite would lay it over this one.
  const std::string fresh = place + ".restoring";
  if (auto ok = db->backup_to(fresh); !ok) return ok;
  if (auto ok = finish_copy(fresh); !ok) return ok;
  if (auto ok = give_to_owner(c.folder.path, {fresh}); !ok) return ok;
  std::error_code ec;
  for (const char* tail : {"-wal", "-shm"}) fs::remove(place + tail, ec);
  fs::rename(fresh, place, ec);
  if (ec) return fail(errc::storage_io, place + ": cannot move the copy into place: " + ec.message());
  if (auto ok = sync_folder(fs::path(place).parent_path()); !ok) return ok;
  c.say("the emergency book is restored too");
  return {};
}

status backup(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const std::string target = c.text("FILE");
  if (fs::exists(target)) return fail(errc::already_exists, target + ": exists already; name a new file");
  const std::string beside = emergency_copy_of(target);
  if (fs::exists(beside)) return fail(errc::already_exists, beside + ": exists already; name a new file");
  if (auto ok = r->db().backup_to(target); !ok) return ok;
  auto book = open_emergency_file(c);
  if (!book) return std::unexpected(book.error());
  if (*book) {
    if (auto ok = (*book)->backup_to(beside); !ok) return ok;
    if (auto ok = finish_copy(beside); !ok) return ok;
    c.say("the emergency book: " + beside);
  }
  c.say("backed up to " + target + " (" + std::to_string(fs::file_size(target) / 1024) + " KiB); keys and relay.toml are not in it");
  return {};
}

// A file is taken only if it is whole and of this product. It is opened as a copy: looking at it must not change it.
status check_copy(const std::string& path) {
  auto db = relay::open_store_db(path, {.create = true});  // an older schema is brought up to date here, not at the relay's start
  if (!db) return std::unexpected(db.error());
  if (auto ok = db->integrity_check(); !ok) return ok;
  return db->exec("PRAGMA journal_mode = DELETE");  // one file, no WAL beside it
}

// Whoever holds the database open, relay or tool, keeps it from leaving WAL.
status nobody_uses(const context& c, const std::string& database) {
  if (const auto answer = ask_relay(c.folder.control_socket(), "status"); answer || answer.error().code != errc::net_unreachable)
    return fail(errc::refused, "the relay is running; stop it first");
  if (!fs::exists(database)) return {};
  auto db = sqlite_db::open(database, {.create = false, .busy_timeout = millis{200}});
  if (!db) return {};  // damaged: that is why it is being replaced
  const auto alone = db->exec("PRAGMA journal_mode = DELETE");
  if (!alone && alone.error().code == errc::storage_busy)
    return fail(errc::refused, "another program has the database open; stop the relay first");
  return {};
}

// The former database stays beside the new one, with the time in its name.
status replace(const context& c, const std::string& database, const std::string& fresh) {
  std::string stamp = format_local(c.now, 0);
  for (char& ch : stamp)
    if (ch == ' ' || ch == ':') ch = '-';
  const std::string former = database + ".before-restore-" + stamp;
  std::error_code ec;
  if (fs::exists(database)) {
    if (fs::exists(former)) return fail(errc::already_exists, former + ": exists already; wait a minute or move it away");
    fs::rename(database, former, ec);
    if (ec) return fail(errc::storage_io, database + ": cannot put it aside: " + ec.message());
  }
  for (const char* tail : {"-wal", "-shm"}) fs::remove(database + tail, ec);
  fs::rename(fresh, database, ec);
  if (ec) return fail(errc::storage_io, database + ": cannot move the copy into place: " + ec.message());
  return sync_folder(fs::path(database).parent_path());
}

status restore(context& c) {
  const std::string source = c.text("FILE");
  if (!fs::is_regular_file(source)) return fail(errc::not_found, source + ": no such file");
  const auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  const auto alone = relay::database_lock::take(config->database);  // no relay starts while we work
  if (!alone && alone.error().code == errc::already_exists)
    return fail(errc::refused, config->database + ": a relay runs on it; stop the relay first");
  if (!alone) return std::unexpected(alone.error());
  const std::string folder = fs::path(config->database).parent_path();
  if (auto ok = give_to_owner(folder, {alone->path()}); !ok) return ok;
  if (auto ok = nobody_uses(c, config->database); !ok) return ok;
  const std::string fresh = config->database + ".restoring";
  std::error_code ec;
  for (const char* tail : {"", "-wal", "-shm"}) fs::remove(fresh + tail, ec);
  {
    auto db = sqlite_db::open(source, {.create = false, .read_only = true});
    if (!db) return std::unexpected(db.error());
    const auto id = db->query_int("PRAGMA application_id");
    if (!id || *id != relay::store_application_id)
      return fail(errc::config_invalid, source + ": not a backup of a Tomoshibi relay");
    if (auto ok = db->backup_to(fresh); !ok) return ok;
  }
  if (auto ok = check_copy(fresh); !ok) {
    fs::remove(fresh, ec);
    return fail(ok.error().code, source + ": " + ok.error().detail);
  }
  if (auto ok = give_to_owner(folder, {fresh}); !ok) return ok;
  if (auto ok = replace(c, config->database, fresh); !ok) return ok;
  if (auto ok = restore_emergency(c, source); !ok) return ok;
  c.say("restored from " + source + "; the former database, if there was one, lies beside it as *.before-restore-*");
  return {};
}

}  // namespace

verb_list backup_verbs() {
  return {
      {"", "backup", "Copy the database while the relay runs", {{"FILE", positional, "New file"}},
       "  backup /var/backups/relay-2026-01-31.db", backup},
      {"", "restore", "Put a backup in the database's place; the relay must not run", {{"FILE", positional, "A backup"}}, "",
       restore},
  };
}

}  // namespace tomoshibi::ctl
