// Goal: a device keeps its name when its address changes, never gets another one's, and has one in every case.
#include "drivers/registry.hpp"
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;
using twin::fault_kind;

namespace {

constexpr std::uint32_t tv = 0x060201;

std::string id_of(std::uint64_t number) { return to_hex(twin::identity_of(number)); }
std::string key_of(std::uint64_t number) { return id_of(number) + "/060201"; }

std::vector<std::string> found(const virtual_lan& lan) {
  std::vector<std::string> out;
  for (const auto& [when, o] : lan.seen()) {
    const auto* const p = std::get_if<device_presence>(&o);
    if (p != nullptr && p->change == presence_change::found) out.push_back(p->device);
  }
  return out;
}

struct two_televisions : virtual_lan {
  explicit two_televisions(std::uint64_t first = 1, std::uint64_t second = 2)
      : virtual_lan({}), a(add("192.0.2.10", first)), b(add("192.0.2.11", second)) {
    a.add_object({tv});
    b.add_object({tv});
  }
  twin::twin_node& a;
  twin::twin_node& b;
};

}  // namespace

TEST_CASE("what counts as an identity") {
  const auto id = [](std::string_view text) { return identity_from(*from_hex(text)); };
  CHECK(id("fe00000b00000000000000000000000001") == "fe00000b00000000000000000000000001");
  CHECK(id("0000000b00000000000000000000000001") == "0000000b00000000000000000000000001");  // without FE: as it is
  CHECK_FALSE(id("0000000000000000000000000000000000").has_value());
  CHECK_FALSE(id("fe00000000000000000000000000000000").has_value());
  CHECK_FALSE(id("fe00007700000000000000000000000000").has_value());
  CHECK_FALSE(id("fe00000b000000000000000000000001").has_value());  // 16 bytes
  CHECK_FALSE(id("").has_value());
}

TEST_CASE("no device is created before its identity was answered or refused") {
  two_televisions lan;
  lan.b.add_fault({fault_kind::refuses_power});
  lan.a.add_fault({fault_kind::silent_on_many, {}, mono_from_ms(120'000), 0});  // hears, announces, never answers
  lan.b.add_fault({fault_kind::no_identity});
  lan.start(watch_all({0x0602}));
  lan.run_for(100s);
  CHECK(found(lan) == std::vector<std::string>{"ip:192.0.2.11/060201"});
  lan.run_for(10min);
  CHECK(found(lan) == std::vector<std::string>{"ip:192.0.2.11/060201", key_of(1)});
}

TEST_CASE("a zero identity falls back to the address") {
  two_televisions lan;
  lan.a.add_fault({fault_kind::zero_identity});
  lan.start(watch_all({0x0602}));
  lan.run_for(2min);
  CHECK(lan.readings_of("ip:192.0.2.10/060201") >= 2);
  CHECK(lan.readings_of(key_of(2)) >= 2);
}

TEST_CASE("two addresses with one identity become two devices, by address") {
  two_televisions lan{7, 7};
  lan.start(watch_all({0x0602}));
  lan.run_for(30s);
  lan.forget_seen();
  lan.run_for(1h);
  CHECK(lan.readings_of("ip:192.0.2.10/060201") >= 59);
  CHECK(lan.readings_of("ip:192.0.2.11/060201") >= 59);
  CHECK(lan.readings_of(key_of(7)) == 0);
  // A third one with the same constant joins them at once.
  lan.add("192.0.2.12", 7).add_object({tv});
  lan.start_twin("192.0.2.12");
  lan.run_for(5min);
  CHECK(lan.readings_of("ip:192.0.2.12/060201") >= 5);
}

TEST_CASE("a node that got a new address is the same device, whether it announces itself or is only found") {
  for (const bool announces : {true, false}) {
    CAPTURE(announces);
    two_televisions lan;
    lan.start(watch_all({0x0602}));
    lan.run_for(5min);
    lan.forget_seen();
    lan.move("192.0.2.10", "192.0.2.77");
    if (announces) lan.start_twin("192.0.2.77");
    lan.run_for(announces ? 1min : 12min);
    CHECK(lan.presence(presence_change::moved) == 1);
    CHECK(lan.presence(presence_change::found) == 0);
    lan.forget_seen();
    lan.run_for(10min);
    CHECK(lan.readings_of(key_of(1)) >= 10);
    CHECK(lan.readings_of(key_of(2)) >= 10);
    const auto report = lan.driver().report();
    CHECK(std::count_if(report.begin(), report.end(), [](const auto& r) { return r.identity == id_of(1); }) == 1);
  }
}

TEST_CASE("two nodes that swap addresses keep their names") {
  two_televisions lan;
  lan.start(watch_all({0x0602}));
  lan.run_for(5min);
  lan.move("192.0.2.10", "swap");
  lan.move("192.0.2.11", "192.0.2.10");
  lan.move("swap", "192.0.2.11");
  lan.start_twin("192.0.2.10");
  lan.start_twin("192.0.2.11");
  lan.run_for(1min);
  std::vector<datagram> said;
  lan.a.set_use(lan.now(), {tv}, true, twin::notice::none, said);
  lan.forget_seen();
  lan.run_for(10min);
  for (const auto& [when, o] : lan.seen()) {
    const auto* const r = std::get_if<reading>(&o);
    if (r == nullptr) continue;
    CHECK(r->operating == (r->device == key_of(1)));
  }
  CHECK(lan.readings_of(key_of(1)) >= 10);
  CHECK(lan.readings_of(key_of(2)) >= 10);
}

TEST_CASE("an address that is somebody else's now does not lend its name; the old node is missed") {
  two_televisions lan;
  lan.start(watch_all({0x0602}));
  lan.run_for(5min);
  lan.forget_seen();
  lan.unplug("192.0.2.10");
  lan.add("192.0.2.10", 3).add_object({tv});
  lan.start_twin("192.0.2.10");
  lan.run_for(10min);
  CHECK(lan.readings_of(key_of(1)) == 0);
  CHECK(lan.readings_of(key_of(3)) >= 9);
  CHECK(lan.missed(tv) >= 9);
  CHECK(lan.presence(presence_change::silent) == 1);
  CHECK(found(lan) == std::vector<std::string>{key_of(3)});
}

TEST_CASE("objects are merged: a shorter list removes none, a longer one adds") {
  two_televisions lan;
  lan.start(watch_all({0x0602, 0x0290}));
  lan.run_for(2min);
  lan.forget_seen();
  lan.a.add_object({0x029001});
  lan.inject("192.0.2.10", *from_hex("108100000ef0010ef0017301d50100"));  // an empty list
  lan.run_for(1min);
  CHECK(found(lan) == std::vector<std::string>{id_of(1) + "/029001"});
  CHECK(lan.readings_of(key_of(1)) >= 1);
  CHECK(lan.readings(0x029001) >= 1);
}

TEST_CASE("the gateway does not take itself for a device") {
  virtual_lan lan({.driver_hears_itself = true});
  lan.keep_log = true;
  lan.start(watch_all({0x05ff}));
  lan.run_for(30min);
  CHECK(lan.seen().empty());
  CHECK(lan.driver().report().empty());
  CHECK(lan.log.size() < 20);
}

TEST_CASE("more hosts than the table holds: the watched ones stay") {
  two_televisions lan;
  lan.start(watch_all({0x0602}));
  lan.run_for(1min);
  for (int i = 0; i < 500; ++i) {
    lan.inject("198.51.100." + std::to_string(i), *from_hex("108100000ef0010ef0017301d50401029001"));
    lan.run_for(1s);
    REQUIRE(lan.driver().report().size() <= nodes_max);
  }
  lan.forget_seen();
  lan.run_for(10min);
  CHECK(lan.readings_of(key_of(1)) >= 10);
  CHECK(lan.readings_of(key_of(2)) >= 10);
  // Those who never answered are forgotten.
  lan.run_for(1h);
  CHECK(lan.driver().report().size() == 2);
}

TEST_CASE("strangers beyond the table's room are told of once an hour, not once a datagram") {
  struct counting final : log_sink {
    int full = 0;
    void write(log_level, std::string_view, std::string_view event, std::span<const log_field>) override {
      full += event == "nodes_full" ? 1 : 0;
    }
  } log;
  const auto driver = drivers::registry().front().make({.seed = 1, .identity = {}, .log = &log});
  drivers::driver_output out;
  mono_time now{};
  driver->on_start(now, out);
  const auto notice = *from_hex("108100000ef0010ef0017301d50401029001");
  const auto flood = [&] {
    for (int i = 0; i < 1'000; ++i, now += 1ms)
      driver->on_datagram(now, {"198.51.100." + std::to_string(i % 250), 3610}, notice, out);
  };
  flood();
  CHECK(log.full == 1);
  now += 1h;
  flood();
  CHECK(log.full <= 2);
}
