// Goal: a fault script is read as written, and mistakes are named.
#include "tools/home/fault_script.hpp"
#include "tools/replay/iso_time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::home;
using drivers::echonet::twin::fault_kind;

namespace {

const std::vector<std::string> nodes{"kitchen", "lounge"};
const std::string header = "at,until,node,fault,param\n";

std::string mistake(const std::string& text) {
  const auto got = parse_fault_script(text, "f.csv", {}, nodes);
  REQUIRE_FALSE(got);
  return got.error().detail;
}

}  // namespace

TEST_CASE("fault script: times, node, kind and parameter") {
  const auto got = parse_fault_script(header +
                                          "2019-05-20T10:00:00,2019-05-20T11:00:00,kitchen,late,1500\n"
                                          "2019-05-21T10:00:00,,*,garbage,250\n"
                                          "2019-05-21T10:00:00,,lounge,duplicate,\n"
                                          "2019-05-22T10:00:00,,lounge,meter-reset,\n",
                                      "f.csv", std::chrono::minutes{60}, nodes);
  REQUIRE(got);
  REQUIRE(got->size() == 4);
  CHECK((*got)[0].at == *replay::parse_iso_time("2019-05-20T09:00:00"));
  CHECK((*got)[0].until == *replay::parse_iso_time("2019-05-20T10:00:00"));
  CHECK((*got)[0].kind == fault_kind::slow);
  CHECK((*got)[0].amount == 1500);
  CHECK((*got)[1].node == "*");
  CHECK((*got)[1].per_mille == 250);
  CHECK_FALSE((*got)[1].until.has_value());
  CHECK((*got)[2].per_mille == 1000);
  CHECK((*got)[3].kind == fault_kind::meter_reset);
}

TEST_CASE("fault script: mistakes") {
  CHECK(mistake("") == "f.csv:1: the first line has to be at,until,node,fault,param");
  CHECK(mistake("at,node\n").starts_with("f.csv:1:"));
  CHECK(mistake(header + "2019-05-20T10:00:00,,kitchen,silent\n").starts_with("f.csv:2: 5 fields"));
  CHECK(mistake(header + "yesterday,,kitchen,silent,\n").starts_with("f.csv:2: at:"));
  CHECK(mistake(header + "2019-05-20T10:00:00,2019-05-20T10:00:00,kitchen,silent,\n").starts_with("f.csv:2: until:"));
  CHECK(mistake(header + "2019-05-20T10:00:00,,attic,silent,\n").starts_with("f.csv:2: node:"));
  CHECK(mistake(header + "2019-05-20T10:00:00,,kitchen,explode,\n").starts_with("f.csv:2: fault: one of silent"));
  CHECK(mistake(header + "2019-05-20T10:00:00,,kitchen,silent,5\n") == "f.csv:2: param: silent takes none");
  CHECK(mistake(header + "2019-05-20T10:00:00,,kitchen,late,\n") ==
        "f.csv:2: param: late takes a whole number from 1 to 600000");
  CHECK(mistake(header + "2019-05-20T10:00:00,,kitchen,lost,1001\n") ==
        "f.csv:2: param: lost takes a whole number from 1 to 1000");
}
