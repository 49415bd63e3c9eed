// Goal: one test for each thing that real nodes were seen to do and that the driver must survive.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;
using twin::fault_kind;

namespace {

constexpr std::uint32_t tv = 0x060201, button = 0x000301, motion = 0x000701;

struct one_node : virtual_lan {
  explicit one_node(std::uint32_t object = tv, millis delay = millis{0})
      : virtual_lan({.driver_hears_itself = false}), node(add("192.0.2.10", 1, delay)) {
    node.add_object({object});
  }
  twin::twin_node& node;
};

// A host played by hand: answers each request by what `script` makes of it.
struct puppet {
  echonet_driver driver{{.seed = 4, .identity = {9}}};
  driver_output out;
  mono_time now = mono_from_ms(0);
  std::vector<observation> seen;
  std::function<std::vector<bytes>(const frame_view&)> script;
  std::uint16_t port = 3610;

  void start(const read_plan& plan) {
    driver.on_plan(now, plan, out);
    driver.on_start(now, out);
    drain();
  }
  void hear(const bytes& raw) {
    driver.on_datagram(now, {"192.0.2.10", port}, raw, out);
    drain();
  }
  void drain() {
    while (!out.datagrams.empty()) {
      const std::vector<datagram> said = std::exchange(out.datagrams, {});
      for (const datagram& d : said) {
        if (d.to) REQUIRE(d.to->port == 3610);
        const auto f = decode_frame(d.payload);
        if (f->service != esv::get) continue;
        for (const bytes& answer : script(*f)) driver.on_datagram(now + 1ms, {"192.0.2.10", port}, answer, out);
      }
    }
    for (auto& o : out.observations) seen.push_back(std::move(o));
    out.observations.clear();
  }
  void run_for(millis time) {
    const mono_time end = now + time;
    while (driver.next_wake() <= end) {
      now = std::max(now + 1ms, driver.next_wake());
      driver.on_wake(now, out);
      drain();
    }
    now = end;
  }
  std::size_t readings() const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [](const observation& o) {
      return std::holds_alternative<reading>(o);
    }));
  }
};

// An ordinary node's value; nothing = it has none.
std::optional<std::string> value_of(eoj object, epc_code code) {
  if (object == node_profile) {
    if (code == 0x83) return "fe00000b00000000000000000000000001";
    if (code == 0xd6) return "01060201";
    if (code == 0x8a) return "00000b";
    return std::nullopt;
  }
  if (object.value != tv) return std::nullopt;
  if (code == 0x80) return "30";
  if (code == 0x84) return "0050";
  if (code == 0x85) return "00000100";
  if (code == 0x9f) return "0780848588" "8a9d9f";
  if (code == 0x9d) return "028088";
  if (code == 0x8a) return "00000b";
  if (code == 0x88) return "42";
  return std::nullopt;
}

bytes answer_to(const frame_view& request, bool good_only = false, std::optional<esv> service = {}) {
  bytes out;
  frame_writer writer{out, {request.tid, request.deoj, request.seoj, esv::get_res}};
  bool all = true;
  for (const property_view p : request.properties) {
    const auto value = value_of(request.deoj, p.epc);
    all = all && value;
    if (value || !good_only) writer.add(p.epc, value ? *from_hex(*value) : bytes{});
  }
  out[10] = static_cast<std::uint8_t>(service.value_or(all || good_only ? esv::get_res : esv::get_sna));
  return out;
}

}  // namespace

TEST_CASE("it answers from another port, and hears only 3610") {
  puppet p;
  p.port = 23'610;
  p.script = [](const frame_view& f) { return std::vector<bytes>{answer_to(f)}; };
  p.start(watch_all({0x0602}));
  p.run_for(10min);
  CHECK(p.readings() >= 10);
  CHECK(p.driver.report()[0].statistics.timeouts == 0);
}

TEST_CASE("it takes a tenth of a second for an answer, and a second while it announces") {
  one_node lan{tv, 100ms};
  for (int i = 1; i < 30; ++i) lan.node.add_fault({fault_kind::slow, mono_from_ms(i * 60'000), mono_from_ms(i * 60'000 + 20'000), 1'000});
  lan.start(watch_all({0x0602}));
  lan.run_for(30min);
  CHECK(lan.readings(tv) >= 29);
  CHECK(lan.driver().report()[0].statistics.timeouts == 0);
}

TEST_CASE("a Get it can serve in part is refused with the good values") {
  puppet p;
  p.script = [](const frame_view& f) { return std::vector<bytes>{answer_to(f)}; };  // has no 0x9E: refusals happen
  p.start(watch_all({0x0602}));
  p.run_for(5min);
  CHECK(p.readings() >= 5);
}

TEST_CASE("a Get it can serve in part is answered by two datagrams, in either order") {
  for (const bool refusal_first : {false, true}) {
    CAPTURE(refusal_first);
    puppet p;
    p.script = [refusal_first](const frame_view& f) {
      std::vector<bytes> answers{answer_to(f)};
      const bool all = answers[0][10] == static_cast<std::uint8_t>(esv::get_res);
      if (!all) answers.insert(refusal_first ? answers.end() : answers.begin(), answer_to(f, true));
      return answers;
    };
    p.start(watch_all({0x0602}));
    p.run_for(5min);
    CHECK(p.readings() >= 5);
    CHECK(p.driver.report()[0].properties_per_request == properties_start);  // not taken for a short answer
    CHECK(p.driver.report()[0].statistics.timeouts == 0);
  }
}

TEST_CASE("it says refused although every value is there") {
  puppet p;
  p.script = [](const frame_view& f) { return std::vector<bytes>{answer_to(f, false, esv::get_sna)}; };
  p.start(watch_all({0x0602}));
  p.run_for(5min);
  CHECK(p.readings() >= 5);
}

TEST_CASE("it lists properties as readable that it then refuses") {
  one_node lan;
  lan.node.add_fault({fault_kind::refuses_power});
  lan.start(watch_all({0x0602}));
  lan.run_for(10min);
  CHECK(lan.readings(tv) >= 10);
  CHECK(lan.missed(tv) == 0);
}

TEST_CASE("the count of its property map is not the count of its bits") {
  one_node lan;
  lan.node.add_fault({fault_kind::wrong_map_count});
  lan.start(watch_all({0x0602}));
  lan.run_for(5min);
  CHECK(lan.last_reading(tv)->energy_wh.has_value());
}

TEST_CASE("it answers the search twice, once with a foreign TID") {
  one_node lan;
  lan.node.add_fault({fault_kind::twice_wrong_tid});
  lan.start(watch_all({0x0602}));
  lan.run_for(5min);
  CHECK(lan.presence(presence_change::found) == 1);
  CHECK(lan.readings(tv) >= 5);
}

TEST_CASE("it announces an instance list without a value when it starts") {
  one_node lan;
  lan.node.add_fault({fault_kind::empty_notification});
  lan.node.add_fault({fault_kind::lost, mono_from_ms(2'000), mono_from_ms(9'000), 0, 0});
  lan.start(watch_all({0x0602}));
  lan.run_for(1s);
  CHECK(lan.presence(presence_change::found) == 1);
}

TEST_CASE("a button or a motion sensor that starts as active is not believed until it changed or spoke") {
  for (const std::uint32_t object : {button, motion}) {
    CAPTURE(object);
    const std::uint8_t active = 0x41;
    std::vector<datagram> said;
    one_node lan{object};
    lan.node.set_property(lan.now(), {object}, 0xb1, {&active, 1}, twin::notice::none, said);
    lan.start(watch_all({object >> 8}));
    lan.run_for(10min);
    CHECK(lan.readings(object) >= 10);
    CHECK_FALSE(lan.last_reading(object)->active.has_value());

    SECTION("an announcement is believed") {
      lan.node.set_property(lan.now(), {object}, 0xb1, {&active, 1}, twin::notice::inf, said);
      lan.say(lan.node, said);
      lan.run_for(1s);
      CHECK(lan.last_reading(object)->active == true);
    }
    SECTION("a change that polling sees is believed") {
      lan.node.set_use(lan.now(), {object}, false, twin::notice::none, said);
      lan.run_for(2min);
      CHECK(lan.last_reading(object)->active == false);
      lan.node.set_use(lan.now(), {object}, true, twin::notice::none, said);
      lan.run_for(2min);
      CHECK(lan.last_reading(object)->active == true);
    }
    SECTION("a restart is doubted anew") {
      lan.node.set_use(lan.now(), {object}, false, twin::notice::none, said);
      lan.run_for(2min);
      lan.node.set_use(lan.now(), {object}, true, twin::notice::none, said);
      lan.node.on_start(lan.now(), said);
      lan.say(lan.node, said);
      lan.run_for(1s);
      CHECK_FALSE(lan.last_reading(object)->active.has_value());
    }
  }
}

TEST_CASE("it announces device properties as coming from its node profile: they are read at once instead") {
  one_node lan;
  lan.node.add_fault({fault_kind::speaks_as_profile});
  lan.start(watch_all({0x0602}));
  lan.run_for(5min + 7s);
  lan.forget_seen();
  std::vector<datagram> said;
  lan.node.set_use(lan.now(), {tv}, true, twin::notice::inf, said);
  lan.say(lan.node, said);
  lan.run_for(1s);
  REQUIRE(lan.last_reading(tv).has_value());
  CHECK(lan.last_reading(tv)->operating == true);
  CHECK(lan.last_reading(tv)->polled);
}

TEST_CASE("it announces with TID 0") {
  one_node lan;
  lan.start(watch_all({0x0602}));
  lan.run_for(1min);
  lan.inject("192.0.2.10", *from_hex("10810000060201" "0ef001" "7301800130"));
  lan.run_for(10ms);
  CHECK(lan.last_reading(tv)->operating == true);
  CHECK_FALSE(lan.last_reading(tv)->polled);
}

TEST_CASE("frames cut short give what is whole, and are counted") {
  one_node lan;
  lan.start(watch_all({0x0602}));
  lan.run_for(1min);
  const bytes whole = *from_hex("10810000060201" "0ef001" "7302800130" "840200");
  lan.inject("192.0.2.10", whole);
  lan.run_for(10ms);
  CHECK(lan.last_reading(tv)->operating == true);
  CHECK_FALSE(lan.last_reading(tv)->power_w.has_value());
  CHECK(lan.driver().report()[0].statistics.garbage == 1);
}

TEST_CASE("an answer with a wrong OPC gives what could be read") {
  puppet p;
  p.script = [](const frame_view& f) {
    bytes a = answer_to(f);
    a[11] = static_cast<std::uint8_t>(a[11] + 3);
    return std::vector<bytes>{a};
  };
  p.start(watch_all({0x0602}));
  p.run_for(5min);
  CHECK(p.readings() >= 5);
}

TEST_CASE("power is never announced: it is polled") {
  one_node lan;
  lan.start(watch_all({0x0602}));
  std::vector<datagram> said;
  lan.run_for(5min);
  lan.node.set_load(lan.now(), {tv}, 123);
  lan.run_for(1min);
  CHECK(lan.last_reading(tv)->power_w == 123);
}

TEST_CASE("its announcements never arrive: polling sees the use all the same") {
  one_node lan;
  lan.node.add_fault({fault_kind::no_notice});
  lan.start(watch_all({0x0602}));
  lan.run_for(5min);
  std::vector<datagram> said;
  lan.node.set_use(lan.now(), {tv}, true, twin::notice::inf, said);
  lan.say(lan.node, said);
  lan.run_for(1min);
  CHECK(lan.last_reading(tv)->operating == true);
}

TEST_CASE("the search is lost, and the node is found when it announces something") {
  one_node lan;
  lan.node.add_fault({fault_kind::silent, {}, mono_from_ms(120'000)});
  lan.start(watch_all({0x0602}));
  lan.run_for(3min);
  CHECK(lan.presence(presence_change::found) == 0);
  std::vector<datagram> said;
  lan.node.set_use(lan.now(), {tv}, true, twin::notice::inf, said);
  lan.say(lan.node, said);
  lan.run_for(1s);
  CHECK(lan.presence(presence_change::found) == 1);
  // What it said before it was known is not lost.
  const auto said_first = std::find_if(lan.seen().begin(), lan.seen().end(), [](const auto& s) {
    const auto* const r = std::get_if<reading>(&s.second);
    return r != nullptr && !r->polled && r->operating == true;
  });
  CHECK(said_first != lan.seen().end());
}

TEST_CASE("84 objects in one node are all found and read") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 1, 20ms);
  for (std::uint8_t i = 1; i <= 84; ++i) node.add_object(make_eoj(0x0290, i));
  lan.start(watch_all({0x0290}));
  lan.run_for(10min);
  CHECK(lan.presence(presence_change::found) == 84);
  for (std::uint32_t i = 1; i <= 84; ++i) CHECK(lan.readings(0x029000 + i) >= 9);
}
