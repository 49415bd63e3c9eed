// Goal: the twin is a device that other controllers would accept: it answers as the specification asks, counts energy
// with time, and repeats itself for the same seed.
#include "drivers/echonet/property_map.hpp"
#include "drivers/echonet/twin/twin_node.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::twin;

namespace {

const endpoint asker{"192.0.2.1", 40'000};

struct fixture {
  twin_node node{{.identity = identity_of(42), .maker = 0x00000b}};
  mono_time now = mono_from_ms(0);
  std::vector<datagram> out;
  fixture() {
    node.add_object({0x060201});
    node.add_object({0x002201});
    node.on_start(now, out);
  }
  std::string ask(std::string_view request) {
    out.clear();
    node.on_datagram(now, asker, *from_hex(request), out);
    std::string text;
    for (const datagram& d : out) {
      if (d.to) CHECK(*d.to == endpoint{asker.address, 3610});
      text += (text.empty() ? "" : " ") + std::string(d.to ? "" : "*") + to_hex(d.payload);
    }
    return text;
  }
};

}  // namespace

TEST_CASE("it announces its instances at start and lists them when asked") {
  fixture f;
  REQUIRE(f.out.size() == 1);
  CHECK(to_hex(f.out[0].payload) == "108100010ef0010ef0017301d50702060201002201");
  CHECK(f.ask("1081000905ff010ef0016201d600") == "108100090ef00105ff017201d60702060201002201");
  CHECK(f.ask("1081000905ff010ef0006201d400") == "108100090ef00105ff017201d4020003");
  CHECK(f.ask("1081000905ff010ef00162018300") == "108100090ef00105ff0172018311" + to_hex(identity_of(42)));
}

TEST_CASE("its Get map holds what it can read") {
  fixture f;
  for (const char* object : {"060201", "002201", "0ef001"}) {
    const auto raw = from_hex(f.ask("1081000905ff01" + std::string(object) + "62019f00"));
    const auto map = property_map::decode(decode_frame(*raw)->properties.find(0x9f)->edt);
    REQUIRE(map.has_value());
    for (unsigned c = 0x80; c <= 0xff; ++c) {
      const auto code = static_cast<epc_code>(c);
      const std::string one = f.ask("1081000905ff01" + std::string(object) + "6201" + to_hex(bytes{code}) + "00");
      CHECK((one.substr(20, 2) == "72") == map->contains(code));
    }
  }
}

TEST_CASE("its meter counts watts over time, and wraps") {
  fixture f;
  twin_object& meter = *f.node.find({0x002201});
  meter.set_load(f.now, 1'000);
  CHECK(meter.counter_wh(f.now + 1h) == 1'000);
  CHECK(meter.counter_wh(f.now + 90min) == 1'500);
  meter.set_counter(f.now + 2h, 999'999'999);
  CHECK(meter.counter_wh(f.now + 2h + 4s) == 0);
}

TEST_CASE("it can be switched, tells so, and forgets after a power cut") {
  fixture f;
  f.node.add_fault({fault_kind::power_cut, mono_from_ms(60'000), mono_from_ms(90'000)});
  CHECK(f.ask("1081000905ff010602016101800130") == "1081000906020105ff0171018000 *108100020602010ef0017301800130");
  CHECK(f.ask("1081000905ff0106020162018000") == "1081000906020105ff017201800130");
  f.now = mono_from_ms(70'000);
  CHECK(f.ask("1081000905ff0106020162018000").empty());
  CHECK(f.node.next_wake() == mono_from_ms(90'000));
  f.now = mono_from_ms(90'000);
  f.out.clear();
  f.node.on_wake(f.now, f.out);
  CHECK(f.out.size() == 1);  // it announces itself again
  CHECK(f.ask("1081000905ff0106020162018000") == "1081000906020105ff017201800131");
}

TEST_CASE("a delayed answer waits for its wake") {
  twin_node node{{.identity = identity_of(1), .answer_delay = millis{100}}};
  node.add_object({0x060201});
  std::vector<datagram> out;
  node.on_start(mono_from_ms(0), out);
  CHECK(out.empty());
  CHECK(node.next_wake() == mono_from_ms(100));
  node.on_wake(mono_from_ms(99), out);
  CHECK(out.empty());
  node.on_wake(mono_from_ms(100), out);
  CHECK(out.size() == 1);
  CHECK(node.next_wake() == never);
}

TEST_CASE("the same seed misbehaves in the same way") {
  const auto run = [](std::uint64_t seed) {
    twin_node node{{.identity = identity_of(1), .seed = seed}};
    node.add_object({0x060201});
    node.add_fault({fault_kind::garbage, {}, never, 0, 500});
    node.add_fault({fault_kind::lost, {}, never, 0, 300});
    std::vector<datagram> out;
    for (int i = 0; i < 50; ++i) {
      node.on_datagram(mono_from_ms(i), asker, *from_hex("1081000905ff0106020162018000"), out);
    }
    std::string text;
    for (const datagram& d : out) text += to_hex(d.payload) + "\n";
    return text;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}
