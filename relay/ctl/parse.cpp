#include "relay/ctl/parse.hpp"

#include "protocol/adapters/guard_config.hpp"
#include "relay/core/plain_text.hpp"

#include <charconv>

namespace tomoshibi::ctl {
namespace {

std::unexpected<error> bad(std::string_view option, std::string_view allowed) {
  return fail(errc::config_invalid, std::string(option) + ": " + std::string(allowed));
}

bool digits(std::string_view text) {
  for (char c : text)
    if (c < '0' || c > '9') return false;
  return !text.empty();
}

int two(std::string_view text, std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

// "HH:MM", 00:00 to 24:00.
std::optional<std::uint16_t> minutes_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || !digits(text.substr(0, 2)) || !digits(text.substr(3))) return std::nullopt;
  const int m = two(text, 0) * 60 + two(text, 3);
  if (two(text, 3) > 59 || m > 24 * 60) return std::nullopt;
  return static_cast<std::uint16_t>(m);
}

std::string with_zeros(std::int64_t n, std::size_t width) {
  std::string text = std::to_string(n);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::string clock_text(std::int64_t minutes) { return with_zeros(minutes / 60, 2) + ":" + with_zeros(minutes % 60, 2); }

}  // namespace

result<std::int64_t> parse_integer(std::string_view option, std::string_view text, std::int64_t low,
                                   std::int64_t high) {
  std::int64_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc{} || end != text.data() + text.size() || v < low || v > high)
    return bad(option, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return v;
}

result<std::string> parse_name(std::string_view option, std::string_view text, std::size_t bytes_max) {
  const bool blank_end = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (relay::blank(text)) return bad(option, "must not be empty, nor blanks only: 1 to " + std::to_string(bytes_max) + " bytes");
  if (text.size() > bytes_max || blank_end || !relay::valid_utf8(text) || relay::one_line(text) != text)
    return bad(option, "1 to " + std::to_string(bytes_max) +
                           " bytes of UTF-8 on one line, without control characters or blanks at the ends");
  return std::string(text);
}

result<std::int32_t> parse_zone(std::string_view option, std::string_view text) {
  static constexpr const char* allowed =
      "an offset from UTC like +09:00, from -12:00 to +14:00 in steps of 15 minutes (write --zone=-03:00 for a minus)";
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return bad(option, allowed);
  const auto m = minutes_of(text.substr(1));
  if (!m || *m % 15 != 0) return bad(option, allowed);
  const std::int32_t zone = text[0] == '-' ? -std::int32_t{*m} : std::int32_t{*m};
  if (zone < -12 * 60 || zone > 14 * 60) return bad(option, allowed);
  return zone;
}

result<std::chrono::sys_days> parse_date(std::string_view option, std::string_view text) {
  static constexpr const char* allowed = "a date of the calendar like 2026-01-31, from 1970 to 9999";
  const bool form = text.size() == 10 && text[4] == '-' && text[7] == '-' && digits(text.substr(0, 4)) &&
                    digits(text.substr(5, 2)) && digits(text.substr(8));
  if (!form) return bad(option, allowed);
  const std::chrono::year_month_day date{std::chrono::year{two(text, 0) * 100 + two(text, 2)},
                                         std::chrono::month{static_cast<unsigned>(two(text, 5))},
                                         std::chrono::day{static_cast<unsigned>(two(text, 8))}};
  if (!date.ok() || date.year() < std::chrono::year{1970}) return bad(option, allowed);
  return std::chrono::sys_days{date};
}

result<wall_at> parse_utc(std::string_view option, std::string_view text) {
  static constexpr const char* allowed = "a UTC time like 2026-01-31T08:15:00Z or 2026-01-31T08:15:00.250Z";
  if ((text.size() != 20 && text.size() != 24) || text[10] != 'T' || text.back() != 'Z') return bad(option, allowed);
  const auto date = parse_date(option, text.substr(0, 10));
  const auto minutes = minutes_of(text.substr(11, 5));
  const std::string_view rest = text.substr(16);
  if (!date || !minutes || *minutes >= 24 * 60 || rest[0] != ':' || !digits(rest.substr(1, 2)) || two(rest, 1) > 59)
    return bad(option, allowed);
  millis ms = std::chrono::minutes{*minutes} + std::chrono::seconds{two(rest, 1)};
  if (text.size() == 24) {
    if (rest[3] != '.' || !digits(rest.substr(4, 3))) return bad(option, allowed);
    ms += millis{(rest[4] - '0') * 100 + two(rest, 5)};
  }
  return wall_at{*date} + ms;
}

result<millis> parse_duration(std::string_view option, std::string_view text, millis low, millis high) {
  const std::string allowed = "a time like 90m, 6h or 2d, from " + format_duration(low) + " to " + format_duration(high);
  if (text.size() < 2 || text.size() > 8 || !digits(text.substr(0, text.size() - 1))) return bad(option, allowed);
  const auto n = parse_integer(option, text.substr(0, text.size() - 1), 0, 10'000'000);
  if (!n) return bad(option, allowed);
  millis unit{0};
  if (text.back() == 'm') unit = 1min;
  if (text.back() == 'h') unit = 1h;
  if (text.back() == 'd') unit = 24h;
  const millis d = *n * unit;
  if (unit == millis{0} || d < low || d > high) return bad(option, allowed);
  return d;
}

result<relay::quiet_hours> parse_quiet_hours(std::string_view option, std::string_view text) {
  if (text == "none") return relay::quiet_hours{};
  const auto from = text.size() == 11 ? minutes_of(text.substr(0, 5)) : std::nullopt;
  const auto until = text.size() == 11 ? minutes_of(text.substr(6)) : std::nullopt;
  if (!from || !until || text[5] != '-' || *from == 24 * 60 || *from == *until)
    return bad(option, "hours of the home's clock like 22:00-07:00, or none");
  return relay::quiet_hours{*from, static_cast<std::uint16_t>(*until % (24 * 60))};
}

result<relay::language> parse_language(std::string_view option, std::string_view text) {
  if (text == "ja") return relay::language::ja;
  if (text == "en") return relay::language::en;
  return bad(option, "ja or en");
}

result<relay::contact_role> parse_role(std::string_view option, std::string_view text) {
  if (text == "family") return relay::contact_role::family;
  if (text == "provider") return relay::contact_role::provider;
  return bad(option, "family or provider");
}

result<std::string> parse_guard_account(std::string_view option, std::string_view text) {
  if (const std::string allowed = check_guard_account(text); !allowed.empty()) return bad(option, "must be " + allowed);
  return written_guard_account(std::string(text));
}

result<std::string> parse_guard_key(std::string_view option, std::string_view text) {
  const auto key = from_hex(text);
  if (!key || (key->size() != 16 && key->size() != 24 && key->size() != 32))
    return bad(option, "must hold one line of 32, 48 or 64 hexadecimal digits, the key of AES-128, AES-192 or AES-256");
  return to_hex(*key);
}

std::string format_zone(std::int32_t zone_min) {
  return (zone_min < 0 ? "-" : "+") + clock_text(zone_min < 0 ? -zone_min : zone_min);
}

std::string format_quiet_hours(const relay::quiet_hours& q) {
  if (q.from_min == q.until_min) return "none";
  return clock_text(q.from_min) + "-" + clock_text(q.until_min);
}

std::string format_duration(millis d) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(d).count();
  if (minutes != 0 && minutes % (24 * 60) == 0) return std::to_string(minutes / (24 * 60)) + "d";
  if (minutes != 0 && minutes % 60 == 0) return std::to_string(minutes / 60) + "h";
  return std::to_string(minutes) + "m";
}

std::string format_local(wall_at t, std::int32_t zone_min) {
  const wall_at local = t + std::chrono::minutes{zone_min};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  return with_zeros(static_cast<int>(date.year()), 4) + "-" + with_zeros(static_cast<unsigned>(date.month()), 2) + "-" +
         with_zeros(static_cast<unsigned>(date.day()), 2) + " " +
         clock_text(std::chrono::floor<std::chrono::minutes>(local - day).count());
}

std::string format_local_slot(slot_index s, std::int32_t zone_min) { return format_local(start_of(s), zone_min); }

std::string_view name_of(relay::language l) { return l == relay::language::ja ? "ja" : "en"; }
std::string_view name_of(relay::contact_role r) { return r == relay::contact_role::family ? "family" : "provider"; }

}  // namespace tomoshibi::ctl
