#include "protocol/dc09/stamp.hpp"

#include <cstdio>

namespace tomoshibi::dc09 {
namespace {

std::optional<unsigned> digits(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

std::string write_stamp(wall_at at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d,%02u-%02u-%04d", static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(date.year()));
  return text;
}

std::optional<wall_at> read_stamp(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != stamp_chars || text[2] != ':' || text[5] != ':' || text[8] != ',' || text[11] != '-' || text[14] != '-')
    return std::nullopt;
  const auto hour = digits(text.substr(0, 2)), minute = digits(text.substr(3, 2)), second = digits(text.substr(6, 2));
  const auto m = digits(text.substr(9, 2)), d = digits(text.substr(12, 2)), y = digits(text.substr(15, 4));
  if (!hour || !minute || !second || !m || !d || !y || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const year_month_day date{year{static_cast<int>(*y)}, month{*m}, day{*d}};
  if (!date.ok()) return std::nullopt;
  return wall_at{sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second};
}

}  // namespace tomoshibi::dc09
