#include "relay/ctl/emergency_data.hpp"

#include "relay/ctl/home_data.hpp"
#include "relay/ctl/relay_link.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"
#include "relay/shell/store_values.hpp"

#include <filesystem>

namespace tomoshibi::ctl {

result<std::optional<sqlite_db>> open_emergency_file(const context& c) {
  const auto path = c.folder.emergency_database();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  auto db = sqlite_db::open(path, {.create = false, .read_only = true});
  if (!db) return std::unexpected(db.error());
  return std::optional{std::move(*db)};
}

result<bool> in_emergency_book(const context& c, home_id home) {
  auto db = open_emergency_file(c);
  if (!db) return std::unexpected(db.error());
  if (!*db) return false;
  for (const home_table& t : emergency_home_tables()) {
    auto s = (*db)->prepare("SELECT 1 FROM " + std::string(t.name) + " WHERE " + std::string(t.of_home) + " LIMIT 1");
    if (!s) return std::unexpected(s.error());
    const auto row = s->bind(1, relay::number(home)).step();
    if (!row) return std::unexpected(row.error());
    if (*row) return true;
  }
  return false;
}

status erase_from_emergency_book(const context& c, home_id home) {
  const auto there = in_emergency_book(c, home);
  if (!there) return std::unexpected(there.error());
  if (!*there) return {};
  if (const auto answer = ask_relay(c.folder.control_socket(), "status"); answer || answer.error().code != errc::net_unreachable)
    return fail(errc::refused, "the emergency book holds presses of this home, and the relay is running; stop it for the erasure. "
                               "Nothing was deleted");
  auto db = sqlite_db::open(c.folder.emergency_database(), {.create = false});
  if (!db) return std::unexpected(db.error());
  if (auto ok = db->exec("PRAGMA secure_delete = ON"); !ok) return ok;
  auto tx = transaction::begin(*db);
  if (!tx) return std::unexpected(tx.error());
  for (const home_table& t : emergency_home_tables()) {
    auto s = db->prepare("DELETE FROM " + std::string(t.name) + " WHERE " + std::string(t.of_home));
    if (!s) return std::unexpected(s.error());
    if (auto ok = s->bind(1, relay::number(home)).run(); !ok) return ok;
  }
  if (auto ok = relay::sqlite_emergency_book::log_leaves(*db); !ok) return ok;
  if (auto ok = tx->commit(); !ok) return ok;
  if (auto ok = db->exec("VACUUM"); !ok) return ok;
  return db->checkpoint();
}

}  // namespace tomoshibi::ctl
