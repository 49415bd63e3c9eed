// Goal: times are shown in the home's zone, as exact as a slot, with the year only when it is another one.
#include "relay/core/home_time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

wall_at utc(int year, unsigned month, unsigned day, int hour, int minute) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} + hours{hour} + minutes{minute};
}

}  // namespace

TEST_CASE("a slot is shown in the home's zone and language") {
  const auto at = utc(2026, 11, 18, 12, 0);
  const home_time ja{.zone_min = 540, .lang = language::ja, .now = at};
  const home_time en{.zone_min = 540, .lang = language::en, .now = at};
  CHECK(ja.slot(slot_of(at)) == "11月18日（水）21時00分〜21時15分");
  CHECK(en.slot(slot_of(at)) == "Wed, Nov 18, 21:00-21:15");
}

TEST_CASE("the last slot of a day ends at midnight") {
  const home_time ja{.zone_min = 540, .lang = language::ja, .now = utc(2026, 5, 1, 0, 0)};
  CHECK(ja.slot(slot_of(utc(2026, 5, 1, 14, 45))) == "5月1日（金）23時45分〜0時00分");
}

TEST_CASE("the year is shown only when it differs from that of now, judged in the home's zone") {
  const home_time ja{.zone_min = 540, .lang = language::ja, .now = utc(2026, 12, 31, 16, 0)};  // 2027 at the home
  CHECK(ja.date(utc(2026, 12, 31, 15, 0)) == "1月1日（金）");
  CHECK(ja.date(utc(2026, 12, 31, 14, 59)) == "2026年12月31日（木）");
  const home_time en{.zone_min = -210, .lang = language::en, .now = utc(2026, 12, 31, 16, 0)};
  CHECK(en.moment(utc(2025, 3, 1, 3, 29)) == "Fri, Feb 28 2025, 23:59");
}

TEST_CASE("durations leave out what is zero and have plurals") {
  const home_time ja{.zone_min = 540, .lang = language::ja, .now = {}};
  const home_time en{.zone_min = 540, .lang = language::en, .now = {}};
  CHECK(ja.duration(1h + 15min) == "1時間15分");
  CHECK(ja.duration(26h + 15min) == "1日と2時間15分");
  CHECK(ja.duration(48h) == "2日");
  CHECK(en.duration(25h + 1min) == "1 day 1 hour 1 minute");
  CHECK(en.duration(50h + 30min) == "2 days 2 hours 30 minutes");
  CHECK(en.duration(15min) == "15 minutes");
  CHECK(ja.duration(59s) == "1分未満");
  CHECK(en.duration(-5min) == "less than a minute");
}

TEST_CASE("zones are written as UTC offsets") {
  CHECK(home_time{.zone_min = 540, .lang = language::ja, .now = {}}.zone() == "UTC+9");
  CHECK(home_time{.zone_min = 345, .lang = language::ja, .now = {}}.zone() == "UTC+5:45");
  CHECK(home_time{.zone_min = -210, .lang = language::ja, .now = {}}.zone() == "UTC-3:30");
  CHECK(home_time{.zone_min = 0, .lang = language::ja, .now = {}}.zone() == "UTC");
}
