#include "relay/shell/sqlite_store.hpp"

#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_schema.hpp"
#include "relay/shell/store_settings.hpp"
#include "relay/shell/store_writes.hpp"

namespace tomoshibi::relay {

sqlite_store::sqlite_store(sqlite_db reads, sqlite_db writes)
    : reads_(std::move(reads)), writes_(std::move(writes)), read_statements_(reads_), write_statements_(writes_) {}

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::string& path, database_files& files) {
  auto writes = open_store_db(path, {.create = true, .files = &files});
  if (!writes) return std::unexpected(writes.error());
  auto reads = open_store_db(path, {.files = &files});
  if (!reads) return std::unexpected(reads.error());
  return std::unique_ptr<sqlite_store>(new sqlite_store(std::move(*reads), std::move(*writes)));
}

result<directory> sqlite_store::load_directory() { return read_directory(reads_); }
result<std::vector<gateway_state>> sqlite_store::load_gateways() { return read_gateway_states(reads_); }
result<std::vector<device_state>> sqlite_store::load_devices() { return read_devices(reads_); }
result<std::vector<recount_mark>> sqlite_store::load_recounts() { return read_recounts(reads_); }
result<std::vector<episode>> sqlite_store::load_open_episodes() { return read_open_episodes(reads_); }
result<std::vector<mail>> sqlite_store::load_queued_mails() { return read_queued_mails(reads_); }
result<std::optional<wall_at>> sqlite_store::load_alive() { return read_alive(reads_); }

result<std::optional<std::string>> sqlite_store::setting(std::string_view key) { return read_setting(reads_, key); }
status sqlite_store::set_setting(std::string_view key, std::string_view value) { return write_setting(reads_, key, value); }

result<std::optional<episode>> sqlite_store::find_episode(const episode_key& key) {
  return read_episode(read_statements_, key);
}

result<std::vector<contact_id>> sqlite_store::told(const episode_key& key) { return read_told(read_statements_, key); }

result<day_cells> sqlite_store::read_day(home_id home, appliance_id appliance, utc_day day) {
  return read_day_cells(read_statements_, home, appliance, day);
}

result<std::optional<utc_day>> sqlite_store::newest_day(home_id home, appliance_id appliance) {
  return read_newest_day(read_statements_, home, appliance);
}

status sqlite_store::commit(const write_batch& batch) {
  auto tx = transaction::begin(writes_);
  if (!tx) return std::unexpected(tx.error());
  if (auto ok = apply_batch(write_statements_, days_, batch); !ok) return ok;
  return tx->commit();
}

}  // namespace tomoshibi::relay
