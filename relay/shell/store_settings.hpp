// Words that relay.db keeps by name: what tomoshibi-ctl init was told, and what the relay must recognise at its next start.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

inline constexpr std::string_view setting_relay_host = "relay_host";          // the name that gateways dial
inline constexpr std::string_view setting_emergency_mark = "emergency_mark";  // emergency_book_options::mark

result<std::optional<std::string>> read_setting(sqlite_db& db, std::string_view key);
status write_setting(sqlite_db& db, std::string_view key, std::string_view value);

}  // namespace tomoshibi::relay
