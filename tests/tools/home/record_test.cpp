// Goal: a record is read exactly, and every mistake in it is named with its line and what is allowed.
#include "tools/home/record.hpp"
#include "tools/replay/iso_time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::home;

namespace {

wall_at at(std::string_view text) { return *replay::parse_iso_time(text); }

std::string mistakes(std::string_view text, const record_choice& choice = {}) {
  const auto got = parse_record(text, "r.csv", choice);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::config_invalid);
  return got.error().detail;
}

}  // namespace

TEST_CASE("record: events are read in order of time, channels in order of appearance") {
  const auto got = parse_record(
      "time,channel,value\n"
      "2019-05-20T10:00:00,kitchen,1\n"
      "2019-05-20T09:00:00.500,lounge,1\r\n"
      "\n"
      "2019-05-20T10:00:00,lounge,0",
      "r.csv", {});
  REQUIRE(got);
  CHECK(got->channels == std::vector<std::string>{"kitchen", "lounge"});
  CHECK(got->events == std::vector<record_event>{{at("2019-05-20T09:00:00.500"), 1, 1},
                                                 {at("2019-05-20T10:00:00"), 0, 1},
                                                 {at("2019-05-20T10:00:00"), 1, 0}});
}

TEST_CASE("record: events of one moment stay in the file's order, also in a file that is not sorted") {
  std::string text = "time,channel,value\n2019-05-20T12:00:00,tv,0\n";
  for (int i = 1; i <= 40; ++i) text += "2019-05-20T10:00:00,tv," + std::to_string(i) + "\n";
  const auto got = parse_record(text, "r.csv", {});
  REQUIRE(got);
  REQUIRE(got->events.size() == 41);
  for (int i = 1; i <= 40; ++i) CHECK(got->events[static_cast<std::size_t>(i - 1)].value == i);
}

TEST_CASE("record: columns may stand in any order, times count in the given zone") {
  const auto got = parse_record("value,home,channel,time\n1,h1,tv,2019-05-20T10:00:00\n", "r.csv",
                                {.zone = std::chrono::minutes{540}, .home = "h1"});
  REQUIRE(got);
  CHECK(got->events.front().at == at("2019-05-20T01:00:00"));
}

TEST_CASE("record: one home of several is chosen, and has to be") {
  const std::string text =
      "time,home,channel,value\n2019-05-20T10:00:00,h1,tv,1\n2019-05-20T11:00:00,h2,fridge,1\n";
  const auto got = parse_record(text, "r.csv", {.zone = {}, .home = "h2"});
  REQUIRE(got);
  CHECK(got->channels == std::vector<std::string>{"fridge"});
  CHECK(mistakes(text) == "r.csv: holds several homes, choose one with --home: h1, h2");
  CHECK(mistakes(text, {.zone = {}, .home = "h3"}) == "r.csv: has no events of home 'h3'");
}

TEST_CASE("record: mistakes are all named, each with its line") {
  const std::string header = "time,channel,value\n";
  CHECK(mistakes("") == "r.csv:1: the first line has to name the columns: time,channel,value and optionally home");
  CHECK(mistakes("time,channel\n").starts_with("r.csv:1: the first line"));
  CHECK(mistakes("time,time,channel,value\n").starts_with("r.csv:1: the first line"));
  CHECK(mistakes(header) == "r.csv: has no events");
  CHECK(mistakes(header + "2019-05-20 10:00:00,tv,1\n").starts_with("r.csv:2: time: YYYY-MM-DDTHH:MM:SS"));
  CHECK(mistakes(header + "2019-05-20T10:00:00,tv,-1\n") == "r.csv:2: value: a whole number from 0 to 65533");
  CHECK(mistakes(header + "2019-05-20T10:00:00,tv,65534\n") == "r.csv:2: value: a whole number from 0 to 65533");
  CHECK(mistakes(header + "2019-05-20T10:00:00,tv,1.5\n") == "r.csv:2: value: a whole number from 0 to 65533");
  CHECK(mistakes(header + "2019-05-20T10:00:00,,1\n").starts_with("r.csv:2: channel: 1 to 64 bytes"));
  CHECK(mistakes(header + "2019-05-20T10:00:00,\"tv\",1\n").starts_with("r.csv:2: channel: 1 to 64 bytes"));
  CHECK(mistakes(header + "2019-05-20T10:00:00,tv\n") == "r.csv:2: 3 fields are needed, as in the first line");
  CHECK(mistakes(header + "a,b,c,d,e,f,g,h,i\n") == "r.csv:2: more than 8 fields");
  CHECK(mistakes(header + std::string(600, 'x') + "\n") == "r.csv:2: longer than 512 bytes");
  CHECK(mistakes(header + "x,tv,1\n\n2019-05-20T10:00:00,tv,y\n") ==
        "r.csv:2: time: YYYY-MM-DDTHH:MM:SS, optionally .mmm and Z, years 1970 to 2199\n"
        "r.csv:4: value: a whole number from 0 to 65533");
}

TEST_CASE("record: a file full of mistakes makes a short message") {
  std::string text = "time,channel,value\n";
  for (int i = 0; i < 1000; ++i) text += "x,tv,1\n";
  const std::string told = mistakes(text);
  CHECK(told.ends_with("r.csv: and 980 more"));
  CHECK(told.size() < 4000);
}

TEST_CASE("record: a missing file is said to be missing") {
  const auto got = read_record("no/such/file.csv", {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code == errc::not_found);
}
