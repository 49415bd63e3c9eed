#include "tests/relay/shell/sqlite_store_support.hpp"

#include "protocol/base/check.hpp"
#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_schema.hpp"

namespace tomoshibi::relay::test {

void register_directory(const std::string& path, const directory& d, database_files& files) {
  auto db = open_store_db(path, {.create = true, .files = &files});
  TOMO_REQUIRE(db.has_value());
  auto tx = transaction::begin(*db);
  TOMO_REQUIRE(tx.has_value());
  for (const auto& [id, h] : d.homes) {
    const auto c = d.configs.find(id);
    config_settings settings;
    if (c != d.configs.end()) settings = {c->second.poll_interval_s, c->second.gap_limit_s};
    TOMO_REQUIRE(add_home(*db, h, settings, h.watch_since) == id);
  }
  for (const auto& [id, g] : d.gateways) TOMO_REQUIRE(add_gateway(*db, g, {}).has_value());
  for (const auto& [id, a] : d.appliances) TOMO_REQUIRE(add_appliance(*db, a) == id.second);
  for (const auto& [id, c] : d.contacts) TOMO_REQUIRE(add_contact(*db, c) == id);
  for (const auto& [id, a] : d.guards) TOMO_REQUIRE(set_guard_account(*db, id, a, {}).has_value());
  TOMO_REQUIRE(tx->commit().has_value());
}

}  // namespace tomoshibi::relay::test
