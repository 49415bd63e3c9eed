#include "relay/shell/store_settings.hpp"

namespace tomoshibi::relay {

result<std::optional<std::string>> read_setting(sqlite_db& db, std::string_view key) {
  auto s = db.prepare("SELECT value FROM setting WHERE key = ?1");
  if (!s) return std::unexpected(s.error());
  const auto row = s->bind(1, key).step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::optional{s->text(0)} : std::nullopt;
}

status write_setting(sqlite_db& db, std::string_view key, std::string_view value) {
  auto s = db.prepare("INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value");
  if (!s) return std::unexpected(s.error());
  return s->bind_all(key, value).run();
}

}  // namespace tomoshibi::relay
