#include "protocol/adapters/udp_multicast.hpp"
#include "tests/support/network_namespace.hpp"

#include <catch2/catch_test_macros.hpp>

#include <poll.h>
#include <set>
#include <string>
#include <vector>

namespace tomoshibi {
namespace {

// Everything here binds port 3610 or takes multicast, so it runs in a network namespace of this process.
bool apart() {
  static const bool entered = testing::enter_network_namespace();
  return entered;
}

struct heard {
  std::string from;
  std::string text;
  bool to_group;
  auto operator<=>(const heard&) const = default;
};

// On loopback a datagram is in the receiver's queue when send has returned: no waiting.
std::vector<heard> hear(udp_multicast& node) {
  std::vector<heard> all;
  for (int fd : node.descriptors())
    while (auto got = node.receive(fd))
      all.push_back({got->from.address + ":" + std::to_string(got->from.port), std::string(as_text(got->payload)), got->to_group});
  return all;
}

udp_multicast open_at(const std::string& address, const std::string& interface = "lo") {
  auto opened = udp_multicast::open({.bind_address = address, .port = 3610, .group = "224.0.23.0", .interface = interface});
  REQUIRE(opened);
  return std::move(*opened);
}

}  // namespace

// Goal: several nodes on the loopback addresses of one machine hear each other's multicasts, answer from their own
// address and port, and do not hear themselves. The demonstration and the tests rest on this.
TEST_CASE("nodes on one machine share the group and keep their own addresses") {
  if (!apart()) SKIP("no right to make a network namespace");
  auto gateway = open_at("127.0.0.1");
  auto home = open_at("127.0.1.1");
  auto other = open_at("127.0.1.2");
  REQUIRE(gateway.joined());

  REQUIRE(gateway.send_to_group(as_bytes("who?")));
  CHECK(hear(gateway).empty());
  CHECK(hear(home) == std::vector<heard>{{"127.0.0.1:3610", "who?", true}});
  CHECK(hear(other) == std::vector<heard>{{"127.0.0.1:3610", "who?", true}});

  REQUIRE(home.send_to({"127.0.0.1", 3610}, as_bytes("me")));
  CHECK(hear(gateway) == std::vector<heard>{{"127.0.1.1:3610", "me", false}});
  CHECK(hear(other).empty());

  REQUIRE(other.send_to_group(as_bytes("inf")));
  CHECK(hear(gateway) == std::vector<heard>{{"127.0.1.2:3610", "inf", true}});
  CHECK(hear(home).size() == 1);
}

// Goal: a node on all addresses takes unicast and multicast once each, not twice.
TEST_CASE("a node on 0.0.0.0 hears each datagram once") {
  if (!apart()) SKIP("no right to make a network namespace");
  auto gateway = open_at("0.0.0.0");
  auto sender = udp_multicast::open({.bind_address = "127.0.1.9", .port = 0, .group = "224.0.23.0", .interface = "lo"});
  REQUIRE(sender);
  REQUIRE(sender->send_to({"224.0.23.0", 3610}, as_bytes("a")));
  REQUIRE(sender->send_to({"127.0.0.1", 3610}, as_bytes("b")));
  const auto all = hear(gateway);
  REQUIRE(all.size() == 2);
  CHECK((std::set<std::string>{all[0].text, all[1].text} == std::set<std::string>{"a", "b"}));
}

// Goal: a second program on the address is told so, instead of stealing the first one's datagrams.
TEST_CASE("a taken port is an error that says what to look for") {
  if (!apart()) SKIP("no right to make a network namespace");
  for (const char* address : {"127.0.0.1", "0.0.0.0"}) {
    auto first = open_at(address);
    const auto second = udp_multicast::open({.bind_address = address, .port = 3610, .group = "224.0.23.0", .interface = "lo"});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::net_unreachable);
    CHECK(second.error().detail.find("3610") != std::string::npos);
    CHECK(second.error().detail.find("another ECHONET program") != std::string::npos);
  }
}

// Goal: an interface that is not there yet is waited for, not a failed start.
TEST_CASE("a missing interface is joined when it comes") {
  if (!apart()) SKIP("no right to make a network namespace");
  auto node = open_at("127.0.0.1", "nowhere0");
  CHECK_FALSE(node.joined());
  CHECK_FALSE(node.refresh());
  auto good = open_at("127.0.1.1");
  CHECK(good.joined());
  CHECK_FALSE(good.refresh());
}

// Goal: what cannot be meant is refused with the words of the mistake.
TEST_CASE("addresses are checked") {
  const udp_multicast_options wrong[] = {
      {.bind_address = "::1", .port = 0, .group = "224.0.23.0", .interface = ""},
      {.bind_address = "127.0.0.1", .port = 0, .group = "10.0.0.1", .interface = ""},
      {.bind_address = "127.0.0.1", .port = 0, .group = "224.0.23.0", .interface = "a-name-that-is-too-long"}};
  for (const auto& options : wrong) {
    const auto opened = udp_multicast::open(options);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::config_invalid);
  }
}

// Goal: a datagram longer than any ECHONET one is dropped, and the next one is read.
TEST_CASE("oversized datagrams are skipped") {
  if (!apart()) SKIP("no right to make a network namespace");
  auto node = open_at("127.0.0.1");
  auto sender = udp_multicast::open({.bind_address = "127.0.1.9", .port = 0, .group = "224.0.23.0", .interface = "lo"});
  REQUIRE(sender);
  REQUIRE(sender->send_to({"127.0.0.1", 3610}, bytes(udp_multicast::datagram_max + 1)));
  REQUIRE(sender->send_to({"127.0.0.1", 3610}, as_bytes("ok")));
  const auto all = hear(node);
  REQUIRE(all.size() == 1);
  CHECK(all[0].text == "ok");
}

}  // namespace tomoshibi
