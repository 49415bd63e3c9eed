// The emergency book in SQLite: emergency.db in the relay's folder (WAL, FULL: one write and one sync for each commit).
//
// A file that is damaged, or is not ours, is renamed to <path>.corrupt and a new one begins: a relay must take presses. What
// was open in it is lost to the relay and not to the service, for every gateway sends what it still holds; it is told as
// emergency_state::lost. So is a file that is gone, emptied, exchanged, or without its log: the book knows its mark and that it
// had a log, and relay.db keeps the mark. A file of a newer program (storage_version) is never touched.
//
// Room: a piece of the file and of its log is taken in advance, at the opening and with every drop_old(), so that a disk that
// others have filled still takes some thousands of presses. A file system that copies on write keeps no such promise.
#pragma once

#include "relay/ports/emergency_book.hpp"
#include "relay/shell/statement_cache.hpp"

#include <memory>
#include <string>

namespace tomoshibi::relay {

inline constexpr std::int64_t emergency_log_reserve = 4 << 20;   // bytes of the log
inline constexpr std::int64_t emergency_free_pages = 1024;       // of 4 KiB, in the file
inline constexpr std::uint32_t emergency_log_calm = 128;         // pages in the log from which on it is moved when all is calm,
inline constexpr std::uint32_t emergency_log_long = 512;         // and when it is not,
inline constexpr std::uint32_t emergency_log_full = 768;         // and in a commit: what is reserved holds a thousand

struct emergency_book_options {
  bool read_only = false;                    // for tomoshibi-ctl beside a relay that runs: not_found without a file
  std::string mark = {};                     // what mark() was at the last start; empty: there was none
  database_files* files = nullptr;           // nullptr: machine_files()
};

class sqlite_emergency_book final : public emergency_book {
public:
  static result<std::unique_ptr<sqlite_emergency_book>> open(const std::string& path, const emergency_book_options& = {});

  // For a program that copies the file, or opens it and takes its log away when it closes it: no log is missing then.
  static status log_leaves(sqlite_db& db);

  result<emergency_state> load() override;
  status commit(const emergency_batch& batch) override;
  status drop_old(wall_at now, std::size_t most) override;
  void rest(bool calm) override;             // moves the log into the file: a few milliseconds
  result<std::optional<press_row>> find_press(press_id id) override;
  result<std::optional<alert_row>> find_alert(home_id home, appliance_id appliance, std::int32_t since) override;
  result<std::optional<dispatch_row>> find_dispatch(dispatch_id id) override;
  result<std::optional<drill_row>> find_drill(std::uint64_t request) override;
  result<std::vector<press_row>> presses(wall_at from, wall_at until, std::size_t most) override;
  result<std::vector<guard_event_row>> events(wall_at from, wall_at until, std::size_t most) override;

  bool reserved() const { return reserved_; }  // the room is there
  const std::string& mark() const { return mark_; }
  book_loss lost() const { return lost_; }     // until load() has told it

private:
  explicit sqlite_emergency_book(sqlite_db db);
  bool reserve();
  bool give_back();

  sqlite_db db_;
  statement_cache statements_;
  std::string mark_;
  book_loss lost_ = book_loss::none;
  bool reserved_ = false;
};

}  // namespace tomoshibi::relay
