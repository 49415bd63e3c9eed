// Goal: a press is heard at once whoever announces it: a host that has not said who it is, an object in no list, the host for
// which there is no room; what is found pressed and not believed is told as that.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;

namespace {

constexpr std::uint32_t button = 0x000301, first_aid = 0x000402, motion = 0x000701;

bytes notice_of(std::uint32_t object, std::uint8_t value, esv service = esv::inf) {
  bytes out;
  frame_writer writer{out, {7, eoj{object}, controller, service}};
  writer.add(0xb1, byte_view{&value, 1});
  return out;
}

std::vector<reading> announced(const virtual_lan& lan) {
  std::vector<reading> out;
  for (const auto& [at, what] : lan.seen())
    if (const auto* r = std::get_if<reading>(&what); r != nullptr && r->announced) out.push_back(*r);
  return out;
}

}  // namespace

TEST_CASE("a press of a host of which nothing is known is a reading at once, by its address") {
  for (const esv service : {esv::inf, esv::infc}) {
    virtual_lan lan({});
    lan.start(watch_all({0x0003, 0x0004}));
    lan.inject("192.0.2.77", notice_of(button, 0x41, service));
    lan.run_for(10ms);
    const auto got = announced(lan);
    REQUIRE(got.size() == 1);
    CHECK(got[0].device == "ip:192.0.2.77/000301");
    CHECK(got[0].eoj == button);
    CHECK(got[0].active == true);
    CHECK_FALSE(got[0].polled);
  }
}

TEST_CASE("what is no press waits until it is known who speaks") {
  virtual_lan lan({});
  lan.start(watch_all({0x0003, 0x0007}));
  lan.inject("192.0.2.77", notice_of(button, 0x42));
  lan.inject("192.0.2.78", notice_of(motion, 0x41));
  lan.inject("192.0.2.79", notice_of(button, 0x99));
  lan.run_for(10ms);
  CHECK(announced(lan).empty());
}

TEST_CASE("a press of an object that is in no list yet is told under its node's identity") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 5);
  node.add_object({0x060201});
  lan.start(watch_all({0x0003, 0x0602}));
  lan.run_for(1min);
  lan.forget_seen();
  lan.inject("192.0.2.10", notice_of(first_aid, 0x41));
  lan.run_for(10ms);
  const auto got = announced(lan);
  REQUIRE(got.size() == 1);
  CHECK(got[0].device.ends_with("/000402"));
  CHECK_FALSE(got[0].device.starts_with("ip:"));
}

TEST_CASE("a press of one host more than are kept is heard") {
  virtual_lan lan({});
  lan.start(watch_all({0x0003}));
  for (std::size_t i = 0; i < nodes_max; ++i)
    lan.inject("198.51.100." + std::to_string(i), notice_of(motion, 0x42));
  lan.run_for(10ms);
  lan.inject("192.0.2.77", notice_of(button, 0x41));
  lan.run_for(10ms);
  CHECK(announced(lan).size() == 1);
}

TEST_CASE("a button found pressed at first is told as doubted; a motion sensor is not; an answer is not an announcement") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 5);
  node.add_object({button});
  node.add_object({motion});
  std::vector<datagram> said;
  for (const std::uint32_t object : {button, motion}) node.set_use(lan.now(), {object}, true, twin::notice::none, said);
  lan.start(watch_all({0x0003, 0x0007}));
  lan.run_for(3min);
  CHECK(announced(lan).empty());
  bool told = false;
  for (const auto& [at, what] : lan.seen()) {
    const auto* r = std::get_if<reading>(&what);
    if (r == nullptr) continue;
    CHECK_FALSE(r->active.value_or(false));
    if (r->doubted) CHECK(r->eoj == button);
    told = told || r->doubted;
  }
  CHECK(told);
}
