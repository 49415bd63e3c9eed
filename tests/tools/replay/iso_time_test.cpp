// Goal: what is written can be read back, and what is not a time is refused rather than guessed.
#include "tools/replay/iso_time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::replay;

TEST_CASE("iso time: reads dates, seconds and milliseconds") {
  CHECK(to_ms(*parse_iso_time("1970-01-01")) == 0);
  CHECK(to_ms(*parse_iso_time("2019-05-29T21:35:09")) == 1'559'165'709'000);
  CHECK(to_ms(*parse_iso_time("2019-05-29T21:35:09.250Z")) == 1'559'165'709'250);
  CHECK(parse_iso_time("2020-02-29").has_value());
}

TEST_CASE("iso time: a zone applies to text without Z only") {
  const std::chrono::minutes tokyo{540};
  CHECK(*parse_iso_time("2019-05-29T09:00:00", tokyo) == *parse_iso_time("2019-05-29T00:00:00Z"));
  CHECK(*parse_iso_time("2019-05-29T09:00:00Z", tokyo) == *parse_iso_time("2019-05-29T09:00:00"));
}

TEST_CASE("iso time: refuses what is not a time") {
  for (const char* text : {"", "2019", "2019-02-29", "2019-13-01", "2019-00-10", "2019-05-32", "2019-05-29T24:00:00",
                           "2019-05-29T21:60:09", "2019-05-29T21:35:60", "2019-05-29 21:35:09", "2019-05-29T21:35",
                           "2019-05-29T21:35:09.25", "2019-05-29T21:35:09ZZ", "2019-05-29T", "1969-12-31", "2200-01-01",
                           "-019-05-29", "2019-05-29T21:35:+9"}) {
    INFO(text);
    CHECK_FALSE(parse_iso_time(text).has_value());
  }
}

TEST_CASE("iso time: what is formatted reads back as the same moment") {
  for (std::int64_t ms : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999}, std::int64_t{1'559'165'709'250},
                          std::int64_t{4'102'444'800'000}}) {
    INFO(ms);
    CHECK(parse_iso_time(format_iso_time(wall_from_ms(ms))) == wall_from_ms(ms));
  }
}

TEST_CASE("zone: hours and minutes, at most 14 hours") {
  CHECK(parse_zone("+09:00") == std::chrono::minutes{540});
  CHECK(parse_zone("-03:30") == std::chrono::minutes{-210});
  CHECK(parse_zone("Z") == std::chrono::minutes{0});
  for (const char* text : {"", "09:00", "+9:00", "+09", "+09:60", "+14:01", "+09:00x"}) {
    INFO(text);
    CHECK_FALSE(parse_zone(text).has_value());
  }
}
