// Values of the command line. Every failure is config_invalid with a detail "<option>: <what is allowed>".
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/slot.hpp"
#include "relay/core/directory.hpp"

#include <chrono>
#include <string_view>

namespace tomoshibi::ctl {

inline constexpr std::size_t home_name_bytes_max = 80;
inline constexpr std::size_t contact_name_bytes_max = 80;
inline constexpr std::int64_t quiet_days_max = 60;
inline constexpr std::int64_t watts_max = 100'000;

result<std::int64_t> parse_integer(std::string_view option, std::string_view text, std::int64_t low, std::int64_t high);
// Visible UTF-8 on one line, 1..bytes_max bytes, no blank at either end.
result<std::string> parse_name(std::string_view option, std::string_view text, std::size_t bytes_max);
// "+09:00", "-03:30", "Z": -12:00 to +14:00 in steps of 15 minutes (docs/adr: homes have fixed offsets).
result<std::int32_t> parse_zone(std::string_view option, std::string_view text);
result<std::chrono::sys_days> parse_date(std::string_view option, std::string_view text);  // 2026-01-31
result<wall_at> parse_utc(std::string_view option, std::string_view text);                 // 2026-01-31T08:15:00[.000]Z
result<millis> parse_duration(std::string_view option, std::string_view text, millis low, millis high);  // 90m 6h 2d
result<relay::quiet_hours> parse_quiet_hours(std::string_view option, std::string_view text);  // 22:00-07:00, none
result<relay::language> parse_language(std::string_view option, std::string_view text);        // ja en
result<relay::contact_role> parse_role(std::string_view option, std::string_view text);        // family provider

// 3 to 16 hexadecimal digits, made upper case.
result<std::string> parse_guard_account(std::string_view option, std::string_view text);
// 32, 48 or 64 hexadecimal digits; made lower case; what is wrong is told without a digit of it.
result<std::string> parse_guard_key(std::string_view option, std::string_view text);

std::string format_zone(std::int32_t zone_min);                     // +09:00
std::string format_quiet_hours(const relay::quiet_hours& q);        // 22:00-07:00, none
std::string format_duration(millis d);                              // 90m 6h 2d
std::string format_local(wall_at t, std::int32_t zone_min);         // 2026-01-31 17:15
std::string format_local_slot(slot_index s, std::int32_t zone_min); // 2026-01-31 17:15
std::string_view name_of(relay::language l);
std::string_view name_of(relay::contact_role r);

}  // namespace tomoshibi::ctl
