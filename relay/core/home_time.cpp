#include "relay/core/home_time.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

namespace tomoshibi::relay {
namespace {

using std::chrono::floor;

constexpr std::array<std::string_view, 7> days_ja{"日", "月", "火", "水", "木", "金", "土"};
constexpr std::array<std::string_view, 7> days_en{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months_en{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct local_moment {
  std::chrono::year_month_day day;
  unsigned weekday = 0;
  unsigned hour = 0;
  unsigned minute = 0;
};

local_moment local(wall_at t, std::int32_t zone_min) {
  const auto moved = t + std::chrono::minutes{zone_min};
  const auto day = floor<std::chrono::days>(moved);
  const auto minutes = floor<std::chrono::minutes>(moved - day).count();
  return {std::chrono::year_month_day{day}, std::chrono::weekday{day}.c_encoding(),
          static_cast<unsigned>(minutes / 60), static_cast<unsigned>(minutes % 60)};
}

std::string two_digits(unsigned n) {
  const auto text = std::to_string(n);
  return n < 10 ? "0" + text : text;
}

std::string clock_ja(const local_moment& m) { return std::to_string(m.hour) + "時" + two_digits(m.minute) + "分"; }
std::string clock_en(const local_moment& m) { return two_digits(m.hour) + ":" + two_digits(m.minute); }

std::string date_text(const local_moment& m, bool with_year, language lang) {
  const auto year = std::to_string(static_cast<int>(m.day.year()));
  const auto month = static_cast<unsigned>(m.day.month());
  const auto day = std::to_string(static_cast<unsigned>(m.day.day()));
  if (lang == language::ja) {
    return (with_year ? year + "年" : "") + std::to_string(month) + "月" + day + "日（" +
           std::string{days_ja[m.weekday]} + "）";
  }
  return std::string{days_en[m.weekday]} + ", " + std::string{months_en[month - 1]} + " " + day +
         (with_year ? " " + year : "");
}

void add_part(std::string& out, std::int64_t n, std::string_view one, std::string_view many, language lang) {
  if (n == 0) return;
  if (!out.empty() && lang == language::en) out += ' ';
  out += std::to_string(n);
  out += n == 1 ? one : many;
}

}  // namespace

std::string home_time::date(wall_at t) const {
  const auto m = local(t, zone_min);
  return date_text(m, m.day.year() != local(now, zone_min).day.year(), lang);
}

std::string home_time::moment(wall_at t) const {
  const auto m = local(t, zone_min);
  return lang == language::ja ? date(t) + clock_ja(m) : date(t) + ", " + clock_en(m);
}

std::string home_time::second(wall_at t) const {
  const auto in_minute = floor<std::chrono::seconds>(t) - floor<std::chrono::minutes>(t);
  const auto s = two_digits(static_cast<unsigned>(in_minute.count()));
  return lang == language::ja ? moment(t) + s + "秒" : moment(t) + ":" + s;
}

std::string home_time::slot(slot_index s) const {
  const auto end = local(end_of(s), zone_min);
  return lang == language::ja ? moment(start_of(s)) + "〜" + clock_ja(end) : moment(start_of(s)) + "-" + clock_en(end);
}

std::string home_time::duration(millis length) const {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(length).count();
  if (minutes <= 0) return lang == language::ja ? "1分未満" : "less than a minute";
  std::string out;
  const bool ja = lang == language::ja;
  add_part(out, minutes / 1440, ja ? "日" : " day", ja ? "日" : " days", lang);
  if (ja && !out.empty() && minutes % 1440 != 0) out += "と";
  add_part(out, minutes / 60 % 24, ja ? "時間" : " hour", ja ? "時間" : " hours", lang);
  add_part(out, minutes % 60, ja ? "分" : " minute", ja ? "分" : " minutes", lang);
  return out;
}

std::string home_time::zone() const {
  if (zone_min == 0) return "UTC";
  const auto size = static_cast<unsigned>(std::abs(zone_min));
  const std::string hours = (zone_min < 0 ? "UTC-" : "UTC+") + std::to_string(size / 60);
  return size % 60 == 0 ? hours : hours + ":" + two_digits(size % 60);
}

}  // namespace tomoshibi::relay
