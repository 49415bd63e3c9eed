// Goal: a mapping is read as written, its sample is valid, and mistakes name the key.
#include "tools/home/mapping.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::home;

namespace {

const std::string good = R"(
[[node]]
name = "kitchen"
address = "127.0.0.12"

[[device]]
node = "kitchen"
eoj = "03b701"
channel = "fridge-door"
hold_s = 30
)";

std::string mistake(const std::string& text) {
  const auto got = parse_mapping(text, "m.toml");
  REQUIRE_FALSE(got);
  CHECK(got.error().code == errc::config_invalid);
  return got.error().detail;
}

bool names(const std::string& told, std::string_view part) { return told.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("mapping: nodes and devices with defaults") {
  const auto got = parse_mapping(good, "m.toml");
  REQUIRE(got);
  REQUIRE(got->nodes.size() == 1);
  CHECK(got->nodes[0].address == "127.0.0.12");
  CHECK(got->nodes[0].number == 1);
  REQUIRE(got->devices.size() == 1);
  CHECK(got->devices[0].eoj.value == 0x03b701);
  CHECK(got->devices[0].meaning == channel_meaning::event);
  CHECK(got->devices[0].hold_s == 30);
  CHECK(got->devices[0].announce);
}

TEST_CASE("mapping: mistakes are named") {
  CHECK(names(mistake("[[node]]\nname = \"n\"\naddress = \"224.0.23.0\"\n"), "an IPv4 address of this machine"));
  CHECK(names(mistake(good + "[[node]]\nname = \"kitchen\"\naddress = \"127.0.0.13\"\n"), "'kitchen' is there twice"));
  CHECK(names(mistake(good + "[[node]]\nname = \"b\"\naddress = \"127.0.0.12\"\n"), "'127.0.0.12' is there twice"));
  CHECK(names(mistake(good + "[[device]]\nnode = \"attic\"\neoj = \"000701\"\nchannel = \"x\"\n"), "'attic' is not a name"));
  CHECK(names(mistake(good + "[[device]]\nnode = \"kitchen\"\neoj = \"03b701\"\nchannel = \"x\"\n"), "there twice in node"));
  for (const char* eoj : {"03b700", "03b7", "0ef001", "028801", "zzzzzz"}) {
    INFO(eoj);
    CHECK(names(mistake("[[node]]\nname = \"n\"\n[[device]]\nnode = \"n\"\nchannel = \"x\"\neoj = \"" + std::string(eoj) + "\"\n"),
                "m.toml:"));
  }
  CHECK(names(mistake(""), "at least one [[node]]"));
  CHECK(names(mistake(good + "colour = \"red\"\n"), "colour"));
}

TEST_CASE("mapping: only what somebody presses may follow no channel") {
  const auto without = [](const std::string& eoj) { return good + "[[device]]\nnode = \"kitchen\"\neoj = \"" + eoj + "\"\n"; };
  for (const char* eoj : {"000301", "000401"}) {
    const auto got = parse_mapping(without(eoj), "m.toml");
    REQUIRE(got);
    CHECK(got->devices.back().channel.empty());
  }
  CHECK(names(mistake(without("000701")), "'000701' in node 'kitchen': a channel is needed"));
}

TEST_CASE("mapping: every class that the product names can be played") {
  for (const unsigned code : {0x0602u, 0x03bbu, 0x03b8u, 0x03b7u, 0x0007u, 0x0029u, 0x0003u, 0x0022u, 0x05fdu}) {
    char eoj[8];
    std::snprintf(eoj, sizeof eoj, "%04x01", code);
    INFO(eoj);
    CHECK(parse_mapping("[[node]]\nname = \"n\"\n[[device]]\nnode = \"n\"\nchannel = \"x\"\neoj = \"" +
                            std::string(eoj) + "\"\n",
                        "m.toml"));
  }
}
