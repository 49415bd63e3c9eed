// The relay's database as a verb needs it: open, look things up by what an operator typed, change and tell the relay.
#pragma once

#include "relay/core/directory.hpp"
#include "relay/ctl/verb.hpp"
#include "relay/shell/config_file.hpp"
#include "relay/shell/store_directory.hpp"

namespace tomoshibi::ctl {

class registry {
public:
  // Errors: not_found (no database: run init), storage_version, storage_corrupt, storage_io.
  static result<registry> open(const context& c);

  sqlite_db& db() { return db_; }
  const relay::directory& directory() const { return directory_; }
  status reload();  // reads the directory again

  // By number or exact name / label. Errors: not_found.
  result<relay::home> find_home(const std::string& typed) const;
  result<relay::appliance> find_appliance(home_id home, const std::string& typed) const;
  result<relay::gateway> find_gateway(const std::string& typed) const;
  result<relay::contact> find_contact(const std::string& typed) const;

  std::vector<relay::appliance> appliances_of(home_id home) const;
  std::vector<relay::gateway> gateways_of(home_id home) const;
  std::vector<relay::contact> contacts_of(home_id home) const;  // of the home itself
  relay::config_settings settings_of(home_id home) const;

  std::string setting(std::string_view key, std::string otherwise);
  status set_setting(std::string_view key, std::string_view value);

private:
  explicit registry(sqlite_db db) : db_(std::move(db)) {}
  sqlite_db db_;
  relay::directory directory_;
};

// relay.toml with its defaults filled in from the folder; without the file the defaults alone. Errors: config_invalid.
result<relay::relay_config> configuration(const context& c);

// One change: `work` runs in a transaction; afterwards the relay is told to read again.
template <class F>
status change(context& c, registry& r, F work);

// "reload" to the relay's control socket. No relay running is fine; another answer than "ok" becomes a note.
void poke_relay(context& c);

template <class F>
status change(context& c, registry& r, F work) {
  auto tx = transaction::begin(r.db());
  if (!tx) return std::unexpected(tx.error());
  if (status done = work(); !done) return done;
  if (status done = tx->commit(); !done) return done;
  poke_relay(c);
  return {};
}

// The number behind an id, as operators see it.
template <class Id>
std::string shown(Id id) { return std::to_string(static_cast<std::uint64_t>(id)); }

}  // namespace tomoshibi::ctl
