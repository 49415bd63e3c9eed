// relay::store in one SQLite file, with two connections: one for reads, one for commits.
//
// Threads: every load_* and read_* belongs to the reactor; commit() may run on one worker at a time, also while the reactor
// reads (WAL: a reader sees the last commit before its statement began, never a torn one). Construction and destruction
// belong to the reactor while no commit is out.
//
// commit() fails whole or succeeds whole. storage_busy (tomoshibi-ctl holds the write lock longer than the busy time-out),
// storage_full and storage_io may go away: the caller tries the same batch again.
#pragma once

#include "relay/ports/store.hpp"
#include "relay/shell/day_cache.hpp"
#include "relay/shell/statement_cache.hpp"

#include <memory>
#include <string>

namespace tomoshibi::relay {

class sqlite_store final : public store {
public:
  // Makes the file if it is missing and brings an older one up to date. Errors: storage_version (made by a newer program),
  // storage_corrupt, storage_io, storage_busy.
  static result<std::unique_ptr<sqlite_store>> open(const std::string& path, database_files& files = machine_files());

  result<directory> load_directory() override;
  result<std::vector<gateway_state>> load_gateways() override;
  result<std::vector<device_state>> load_devices() override;
  result<std::vector<recount_mark>> load_recounts() override;
  result<std::vector<episode>> load_open_episodes() override;
  result<std::vector<mail>> load_queued_mails() override;
  result<std::optional<episode>> find_episode(const episode_key& key) override;
  result<std::vector<contact_id>> told(const episode_key& key) override;
  result<std::optional<wall_at>> load_alive() override;
  result<day_cells> read_day(home_id home, appliance_id appliance, utc_day day) override;
  result<std::optional<utc_day>> newest_day(home_id home, appliance_id appliance) override;
  status commit(const write_batch& batch) override;
  // By the names of store_settings.hpp. On the reactor, also while a commit is out.
  result<std::optional<std::string>> setting(std::string_view key);
  status set_setting(std::string_view key, std::string_view value);

private:
  sqlite_store(sqlite_db reads, sqlite_db writes);
  sqlite_db reads_;
  sqlite_db writes_;
  statement_cache read_statements_;
  statement_cache write_statements_;
  day_cache days_{write_statements_};
};

}  // namespace tomoshibi::relay
