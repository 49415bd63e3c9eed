// Presses and buttons in one small SQLite file, each call on the disk when it returns (WAL, FULL: one write, one sync).
//
// The room that is needed is taken when the file is made: every row is there in its final size (emergency_rows.hpp), the
// write-ahead log is grown to log_reserve once and then written over and over, also after a restart. So a disk that others
// have filled to the last byte still takes presses_max presses. A file system that copies on write (btrfs, UBIFS) keeps
// no such promise. If the room cannot be had the store works without and asks again with every forget().
//
// The file belongs to one gateway process at a time. A damaged row is freed and counted (emergency_state::damaged). A file that
// is damaged further, or is not ours, is renamed to <path>.corrupt (and removed, should there be no room for a new one beside
// it); rows that can still be read move into the new file. A file of a newer program (storage_version) is never touched.
#pragma once

#include "firmware/shell/emergency_rows.hpp"
#include "protocol/adapters/sqlite_db.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr std::int64_t emergency_log_reserve = 64 * 4120;  // bytes: twice what is in the log before it is moved

struct sqlite_emergency_options {
  std::string path;
  database_files* files = nullptr;  // nullptr: machine_files()
};

class sqlite_emergency_store final : public emergency_store {
public:
  explicit sqlite_emergency_store(sqlite_emergency_options options);
  result<emergency_state> load() override;
  status put(const press& what) override;
  status forget(press_id id) override;
  status put_button(const known_button& what) override;

  bool reserved() const { return file_ && file_->reserved; }  // the room is there
  bool recreated() const { return recreated_; }               // a file was put aside

private:
  struct table {
    statement read, write, make;
  };
  struct open_file {
    sqlite_db db;
    table presses, buttons;
    bool reserved = false;
  };
  struct saved_row {
    std::int64_t slot = 0;
    bytes data;
  };
  struct saved_rows {
    std::vector<saved_row> presses, buttons;
  };
  status open();
  result<open_file> open_here();
  result<open_file> open_anew();
  saved_rows save_rows();
  status restore(open_file& file);
  database_files& files() const { return options_.files != nullptr ? *options_.files : machine_files(); }

  sqlite_emergency_options options_;
  std::optional<open_file> file_;
  std::optional<saved_rows> saved_;  // of a damaged file, not yet in the new one
  bool recreated_ = false;
  int unreadable_ = 0;  // openings in a row at which a page could not be read
  std::size_t damaged_ = 0;
};

}  // namespace tomoshibi::firmware
