// The outbox in one SQLite file. Every commit is one transaction, on the disk when commit() returns (WAL, FULL).
//
// The file belongs to one gateway process at a time. A file that is damaged, or is not an outbox at all, is renamed to
// <path>.corrupt (the former one of that name goes) and a new one with a new random epoch takes its place; load() then
// says `recreated`, once. Damaged bytes within a value are mended (outbox_mend.hpp). Damage found later, by a commit or a
// read, is storage_corrupt: the program ends and the next start mends the file or puts it aside. A read that fails is no
// damage, until it has failed at several openings in a row. A file of a newer program (storage_version) is never touched.
#pragma once

#include "firmware/ports/outbox_store.hpp"
#include "protocol/adapters/sqlite_db.hpp"

#include <functional>
#include <optional>
#include <string>

namespace tomoshibi::firmware {

struct sqlite_outbox_options {
  std::string path;
  std::uint32_t pages_max = 16 * 1024;                // 64 MiB: several times what the core's own bounds let it hold
  std::function<outbox_epoch()> new_epoch;            // random, not 0
  database_files* files = nullptr;                    // nullptr: machine_files()
};

class sqlite_outbox_store final : public outbox_store {
public:
  explicit sqlite_outbox_store(sqlite_outbox_options options);
  result<outbox_state> load() override;
  status commit(const outbox_batch& batch) override;
  result<std::vector<stored_record>> read(record_seq from, std::size_t count_max) override;
  status checkpoint_file();                           // moves the WAL into the file; at the end of the program
  bool found_damage() const { return damaged_; }
  std::size_t mended() const { return mended_; }      // damaged values replaced at the opening (outbox_mend.hpp)

private:
  struct open_file {
    sqlite_db db;
    statement append, replace, trim, read, set_next, set_checkpoint, set_config;
  };
  status open();
  result<open_file> open_here();
  database_files& files() const { return options_.files != nullptr ? *options_.files : machine_files(); }
  status apply(open_file& file, const outbox_batch& batch);
  status note(status done);

  sqlite_outbox_options options_;
  std::optional<open_file> file_;
  record_seq next_ = 1;
  bool recreated_ = false;
  bool damaged_ = false;
  int unreadable_ = 0;   // openings in a row at which a page could not be read
  std::size_t mended_ = 0;
};

}  // namespace tomoshibi::firmware
