// Goal: the household's devices show the record's use at its moments, announce it, and fail as scripted.
#include "tools/home/household.hpp"

#include "drivers/echonet/frame.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::home;
namespace echonet = tomoshibi::drivers::echonet;
using echonet::esv;

namespace {

constexpr wall_at start = wall_at{std::chrono::sys_days{std::chrono::year{2019} / 5 / 20}};
constexpr mono_time begin = mono_from_ms(1'000'000);
const endpoint asker{"127.0.0.1", 3610};

mapped_device device(std::uint32_t eoj, std::string channel) {
  mapped_device d;
  d.node = "n";
  d.eoj = {eoj};
  d.channel = std::move(channel);
  return d;
}

struct scene {
  explicit scene(std::vector<device_change> timeline, std::vector<scripted_fault> faults = {}, bool announce = true) {
    mapping map;
    map.nodes.push_back({.name = "n", .number = 7});
    map.devices = {device(0x03b701, "fridge"), device(0x000701, "lounge")};
    map.devices[0].announce = announce;
    home.emplace(map, std::move(timeline), faults, household_options{.start = start, .mono_start = begin, .seed = 1});
    home->on_start(begin, out);
    out.clear();
  }
  // The one property of the one datagram that was sent.
  std::vector<std::uint8_t> only(esv service) {
    REQUIRE(out.size() == 1);
    const auto frame = echonet::decode_frame(out[0].what.payload);
    REQUIRE(frame);
    CHECK(frame->service == service);
    std::vector<std::uint8_t> value;
    for (const auto p : frame->properties) value.assign(p.edt.begin(), p.edt.end());
    out.clear();
    return value;
  }
  std::vector<std::uint8_t> ask(mono_time now, echonet::eoj who, echonet::epc_code epc) {
    bytes frame;
    echonet::frame_writer writer{frame, {9, echonet::controller, who, esv::get}};
    writer.add(epc, {});
    home->on_datagram(now, 0, asker, frame, out);
    return only(esv::get_res);
  }
  std::optional<household> home;
  std::vector<outgoing> out;
};

constexpr echonet::eoj fridge{0x03b701};
constexpr echonet::eoj lounge{0x000701};

device_change change(millis after, std::uint16_t index, bool used) {
  return {.at = start + after, .device = index, .used = used, .watts = {}};
}

}  // namespace

TEST_CASE("household: a change happens at its millisecond, is announced and can be read") {
  scene s({change(1500ms, 0, true), change(61'500ms, 0, false)});
  CHECK(s.home->next_wake() == begin + 1500ms);
  s.home->on_wake(begin + 1499ms, s.out);
  CHECK(s.out.empty());
  CHECK(s.ask(begin + 1499ms, fridge, 0xb0) == std::vector<std::uint8_t>{0x42});
  s.home->on_wake(begin + 1500ms, s.out);
  CHECK_FALSE(s.out.at(0).what.to.has_value());  // to the group
  CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x41});
  CHECK(s.ask(begin + 1500ms, fridge, 0xb0) == std::vector<std::uint8_t>{0x41});
  s.home->on_wake(begin + 61'500ms, s.out);
  CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x42});
  CHECK(s.home->finished());
  CHECK(s.home->next_wake() == never);
}

TEST_CASE("household: a device told not to announce has to be polled where its class allows that") {
  scene s({change(1000ms, 0, true), change(1000ms, 1, true)}, {}, false);
  s.home->on_wake(begin + 1000ms, s.out);
  CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x41});  // the motion sensor's alone
  CHECK(s.ask(begin + 1000ms, fridge, 0xb0) == std::vector<std::uint8_t>{0x41});
}

TEST_CASE("household: what happened before the start is the state at the start, unannounced") {
  scene s({change(-5000ms, 1, true), change(55'000ms, 1, false)});
  CHECK(s.ask(begin, lounge, 0xb1) == std::vector<std::uint8_t>{0x41});
}

TEST_CASE("household: a scripted silence begins and ends at its moments") {
  scene s({}, {{.at = start + 1000ms, .until = start + 2000ms, .node = "n",
                .kind = echonet::twin::fault_kind::silent}});
  bytes frame;
  echonet::frame_writer writer{frame, {9, echonet::controller, lounge, esv::get}};
  writer.add(0xb1, {});
  s.home->on_datagram(begin + 1000ms, 0, asker, frame, s.out);
  CHECK(s.out.empty());
  s.home->on_datagram(begin + 2000ms, 0, asker, frame, s.out);
  CHECK(s.out.size() == 1);
}

TEST_CASE("a hand presses a button, holds it, lets go of it, loudly or silently") {
  scene s({});
  constexpr echonet::epc_code state = 0xb0;   // the fridge's door does as well as a button
  hand_on_button hand{.node = "n", .object = fridge};
  SECTION("told, and held until it is released") {
    REQUIRE(s.home->touch(begin, hand, s.out));
    CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x41});
    s.home->on_wake(begin + 1h, s.out);
    s.out.clear();
    CHECK(s.ask(begin + 1h, fridge, state) == std::vector<std::uint8_t>{0x41});
    hand.pressed = false;
    REQUIRE(s.home->touch(begin + 1h, hand, s.out));
    CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x42});
  }
  SECTION("let go of by itself") {
    hand.hold = 3s;
    REQUIRE(s.home->touch(begin, hand, s.out));
    s.out.clear();
    CHECK(s.home->next_wake() == begin + 3s);
    s.home->on_wake(begin + 3s, s.out);
    CHECK(s.only(esv::inf) == std::vector<std::uint8_t>{0x42});
    CHECK(s.home->next_wake() > begin + 3s);
  }
  SECTION("silently: only who asks is told") {
    hand.tell = echonet::twin::notice::none;
    REQUIRE(s.home->touch(begin, hand, s.out));
    CHECK(s.out.empty());
    CHECK(s.ask(begin, fridge, state) == std::vector<std::uint8_t>{0x41});
  }
  SECTION("there is no such device, or too many hands") {
    hand.node = "m";
    CHECK_FALSE(s.home->touch(begin, hand, s.out));
    hand.node = "n";
    hand.object = {0x000301};
    CHECK_FALSE(s.home->touch(begin, hand, s.out));
    hand.object = fridge;
    hand.hold = 1h;
    for (std::size_t i = 0; i < hands_max; ++i) CHECK(s.home->touch(begin, hand, s.out));
    CHECK_FALSE(s.home->touch(begin, hand, s.out));
  }
}
