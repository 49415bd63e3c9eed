// Goal: healthy devices are found and give a reading a cycle; what they announce is a reading at once; plans can change.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <set>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;

namespace {

constexpr std::uint32_t tv = 0x060201, cooker = 0x03bb01, oven = 0x03b801, fridge = 0x03b701, motion = 0x000701,
                        door = 0x002901, button = 0x000301, meter = 0x002201, plug = 0x05fd01;
constexpr std::uint32_t all_of_them[] = {tv, cooker, oven, fridge, motion, door, button, meter, plug};

struct home : virtual_lan {
  explicit home(std::uint64_t seed = 1, millis answer_delay = millis{0}) : virtual_lan({.seed = seed}) {
    std::uint64_t n = 1;
    for (const std::uint32_t e : all_of_them) {
      node_of.push_back(&add("192.0.2." + std::to_string(10 + n), n, answer_delay));
      node_of.back()->add_object({e});
      ++n;
    }
  }
  void use(std::uint32_t e, bool used, twin::notice tell) {
    std::vector<datagram> said;
    for (twin::twin_node* const n : node_of) {
      if (n->find({e}) == nullptr) continue;
      n->set_use(now(), {e}, used, tell, said);
      say(*n, said);
    }
  }
  std::vector<twin::twin_node*> node_of;
};

read_plan everything() {
  return watch_all({0x0602, 0x03bb, 0x03b8, 0x03b7, 0x0007, 0x0029, 0x0003, 0x0022, 0x05fd});
}

}  // namespace

TEST_CASE("it announces itself, then searches at 0, 15 and 60 s and every ten minutes") {
  virtual_lan lan({.driver_hears_itself = false});
  lan.keep_log = true;
  lan.start({});
  lan.run_for(30min);
  std::vector<std::int64_t> searches;
  for (const auto& d : lan.log) {
    if (d.to) continue;
    const auto f = decode_frame(d.payload);
    if (f->service == esv::get && f->properties.find(epc::instance_list)) searches.push_back((d.at - mono_from_ms(1'000)).count());
  }
  CHECK(searches == std::vector<std::int64_t>{0, 15'000, 60'000, 660'000, 1'260'000});
  CHECK(decode_frame(lan.log[0].payload)->service == esv::inf);
  CHECK(lan.log[0].at == lan.log[1].at);
}

TEST_CASE("each healthy object gives a reading a minute, for a day, and misses none") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    home h{seed, seed == 2 ? 100ms : 0ms};
    h.start(everything());
    h.run_for(24h);
    CHECK(h.presence(presence_change::found) == std::size(all_of_them));
    CHECK(h.presence(presence_change::silent) == 0);
    for (const std::uint32_t e : all_of_them) {
      CAPTURE(e);
      CHECK(h.readings(e) >= 1'439);
      CHECK(h.readings(e) <= 1'443);  // the first one comes out of turn, and its own start announcement causes one more
      CHECK(h.missed(e) == 0);
    }
    for (const auto& r : h.driver().report()) {
      CHECK(r.statistics.timeouts == 0);
      CHECK(r.statistics.garbage == 0);
      CHECK(r.statistics.answered == r.statistics.sent);
      CHECK(r.statistics.rtt_min >= 2ms);
    }
  }
}

TEST_CASE("readings are spread over the cycle") {
  home h{5};
  h.start(everything());
  h.run_for(10min);
  h.forget_seen();
  h.run_for(59s);
  std::set<std::int64_t> moments;
  for (const auto& [when, o] : h.seen()) moments.insert(to_ms(when) / 1'000);
  CHECK(moments.size() >= 5);
}

TEST_CASE("every value of every kind of device arrives") {
  home h;
  h.start(everything());
  h.run_for(2min);
  // At rest.
  CHECK(h.last_reading(tv)->operating == false);
  CHECK(h.last_reading(tv)->power_w == 0);
  CHECK(h.last_reading(cooker)->active == false);
  CHECK(h.last_reading(oven)->active == false);
  CHECK(h.last_reading(fridge)->active == false);
  CHECK(h.last_reading(fridge)->power_w == 100);
  CHECK(h.last_reading(motion)->active == false);
  CHECK(h.last_reading(door)->active == false);
  CHECK(h.last_reading(button)->active == false);
  CHECK(h.last_reading(meter)->power_w == 0);
  CHECK(h.last_reading(plug)->operating == false);
  // In use, told by nobody: polling finds out.
  for (const std::uint32_t e : all_of_them) h.use(e, true, twin::notice::none);
  h.run_for(1h + 2min);
  CHECK(h.last_reading(tv)->operating == true);
  CHECK(h.last_reading(tv)->power_w == 90);
  CHECK(h.last_reading(cooker)->active == true);
  CHECK(h.last_reading(oven)->active == true);
  CHECK(h.last_reading(fridge)->active == true);
  CHECK(h.last_reading(motion)->active == true);
  CHECK(h.last_reading(door)->active == true);
  CHECK(h.last_reading(button)->active == true);
  CHECK(h.last_reading(meter)->power_w == 60);
  CHECK(h.last_reading(meter)->energy_wh >= 60u);
  CHECK(h.last_reading(meter)->energy_wh <= 62u);
  CHECK(h.last_reading(plug)->operating == true);
  CHECK(h.last_reading(tv)->energy_wh >= 90u);
}

TEST_CASE("an announcement is a reading at once") {
  home h;
  h.start(everything());
  h.run_for(5min);
  h.forget_seen();
  h.use(door, true, twin::notice::inf);
  h.run_for(10ms);
  const auto r = h.last_reading(door);
  REQUIRE(r.has_value());
  CHECK(r->active == true);
  CHECK_FALSE(r->polled);
}

TEST_CASE("an announcement that wants an answer gets one, and is a reading") {
  home h;
  h.start(everything());
  h.run_for(5min);
  h.forget_seen();
  h.keep_log = true;
  h.use(button, true, twin::notice::infc);
  h.run_for(10ms);
  CHECK(h.last_reading(button)->active == true);
  const auto answered = std::count_if(h.log.begin(), h.log.end(), [](const auto& d) {
    return d.from == gateway_address && decode_frame(d.payload)->service == esv::infc_res;
  });
  CHECK(answered == 1);
}

TEST_CASE("only what is watched is polled, and only where it is watched") {
  home h;
  read_plan plan = watch_all({0x0602});
  plan.watches.push_back({.node = to_hex(h.node_of[6]->identity()), .eoj = button, .wants_operation_status = false,
                          .wants_energy = false, .wants_sensor_state = true});
  plan.watches.push_back({.node = to_hex(h.node_of[6]->identity()), .eoj = 0x000700});  // not on that node
  h.start(plan);
  h.run_for(5min);
  CHECK(h.readings(tv) >= 5);
  CHECK(h.readings(button) >= 5);
  CHECK_FALSE(h.last_reading(button)->operating.has_value());
  CHECK(h.readings(cooker) == 0);
  CHECK(h.readings(motion) == 0);
  CHECK(h.presence(presence_change::found) == std::size(all_of_them));
}

TEST_CASE("a new plan starts and stops polling") {
  home h;
  h.start(watch_all({0x0602}));
  h.run_for(5min);
  h.replan(watch_all({0x03bb}));
  h.run_for(1s);
  h.forget_seen();
  h.run_for(5min);
  CHECK(h.readings(tv) == 0);
  CHECK(h.readings(cooker) == 5);
  // The same plan again moves nothing.
  const auto sent = h.driver().report()[1].statistics.sent;
  for (int i = 0; i < 100; ++i) h.replan(watch_all({0x03bb}));
  h.run_for(1s);
  CHECK(h.driver().report()[1].statistics.sent <= sent + 1);
}

TEST_CASE("one request is outstanding per address, with a pause after each answer") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 1, 300ms);
  for (std::uint8_t i = 1; i <= 9; ++i) node.add_object(make_eoj(0x0290, i));
  lan.keep_log = true;
  lan.start(watch_all({0x0290}, 10s));
  lan.run_for(5min);
  std::optional<mono_time> asked, answered;
  for (const auto& d : lan.log) {
    if (!d.to || (d.from == gateway_address && d.to->address == gateway_address)) continue;
    if (d.from == gateway_address) {
      if (decode_frame(d.payload)->service != esv::get) continue;
      REQUIRE_FALSE(asked.has_value());
      if (answered) REQUIRE(d.at - *answered >= request_gap);
      asked = d.at;
    } else if (d.to->address == gateway_address) {
      answered = d.at;
      asked.reset();
    }
  }
  for (std::uint32_t i = 1; i <= 9; ++i) CHECK(lan.readings(0x029000 + i) >= 29);
}

TEST_CASE("a silent device is missed, then silent, and comes back") {
  home h;
  h.node_of[0]->add_fault({twin::fault_kind::silent, mono_from_ms(600'000), mono_from_ms(1'800'000)});
  h.start(everything());
  h.run_for(599s);
  h.forget_seen();
  h.run_for(20min);
  CHECK(h.readings(tv) == 0);
  CHECK(h.missed(tv) >= 18);
  CHECK(h.missed(tv) <= 20);
  CHECK(h.missed(cooker) == 0);
  REQUIRE(h.presence(presence_change::silent) == 1);
  for (const auto& [when, o] : h.seen()) {
    const auto* const p = std::get_if<device_presence>(&o);
    if (p == nullptr) continue;
    CHECK(p->eoj == tv);
    CHECK(when - p->since >= 5min);
    CHECK(when - p->since <= 7min);
  }
  h.run_for(5min);
  CHECK(h.presence(presence_change::back) == 1);
  CHECK(h.readings(tv) >= 3);
}

TEST_CASE("a dead node costs about one datagram a cycle, however many objects it has") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 1);
  for (std::uint8_t i = 1; i <= 40; ++i) node.add_object(make_eoj(0x0290, i));
  node.add_fault({twin::fault_kind::silent, mono_from_ms(1'200'000)});
  lan.start(watch_all({0x0290}));
  lan.run_for(30min);
  const auto before = lan.datagrams_to("192.0.2.10");
  lan.forget_seen();
  lan.run_for(60min);
  CHECK(lan.datagrams_to("192.0.2.10") - before <= 60 * 21);  // each probe serves what is due while it waits
  for (std::uint32_t i = 1; i <= 40; ++i) CHECK(lan.missed(0x029000 + i) >= 59);
}

TEST_CASE("a fault is told with what it is, and when it is over") {
  home h;
  h.start(everything());
  h.run_for(5min);
  h.forget_seen();
  std::vector<datagram> said;
  const std::uint8_t present = 0x41, absent = 0x42, what[2] = {0x00, 0x0a};
  h.node_of[0]->set_property(h.now(), {tv}, epc::fault_description, what, twin::notice::none, said);
  h.node_of[0]->set_property(h.now(), {tv}, epc::fault_status, {&present, 1}, twin::notice::inf, said);
  h.say(*h.node_of[0], said);
  h.run_for(5s);
  std::vector<device_fault> faults;
  const auto collect = [&h, &faults] {
    faults.clear();
    for (const auto& [when, o] : h.seen()) {
      if (const auto* const f = std::get_if<device_fault>(&o)) faults.push_back(*f);
    }
  };
  collect();
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].faulty);
  CHECK(faults[1].description == 0x000a);
  // The end is not announced: polling finds it.
  h.node_of[0]->set_property(h.now(), {tv}, epc::fault_status, {&absent, 1}, twin::notice::none, said);
  h.run_for(2min);
  collect();
  REQUIRE(faults.size() == 3);
  CHECK_FALSE(faults[2].faulty);
}

TEST_CASE("that there is no fault is told once, of each device: one that was told by an earlier run may have ended unseen") {
  home h;
  h.start(everything());
  h.run_for(1h);
  std::map<device_key, int> healthy;
  for (const auto& [when, o] : h.seen()) {
    const auto* const f = std::get_if<device_fault>(&o);
    if (f == nullptr) continue;
    CHECK_FALSE(f->faulty);
    ++healthy[f->device];
  }
  CHECK(healthy.size() == std::size(all_of_them));
  for (const auto& [device, times] : healthy) CHECK(times == 1);
}

TEST_CASE("the same seed gives the same observations") {
  const auto run = [](std::uint64_t seed) {
    home h{seed};
    h.node_of[1]->add_fault({twin::fault_kind::lost, {}, never, 0, 300});
    h.start(everything());
    h.run_for(30min);
    std::vector<std::int64_t> times;
    for (const auto& [when, o] : h.seen()) times.push_back(to_ms(when));
    return times;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

TEST_CASE("statistics are logged for each node, named by its address until it has said who it is") {
  struct lines final : log_sink {
    std::vector<std::string> all;
    void write(log_level level, std::string_view module, std::string_view event, std::span<const log_field> f) override {
      all.push_back(format_log_line(level, module, event, f));
    }
  } log;
  echonet_driver driver{{.seed = 1, .identity = {1}, .log = &log}};
  driver_output out;
  driver.on_start(mono_time{}, out);
  driver.on_datagram(mono_time{1s}, {"192.0.2.10", udp_port}, *from_hex("108100010ef00105ff017201d60401029001"), out);
  driver.on_datagram(mono_time{2s}, {"192.0.2.10", udp_port}, *from_hex("1081"), out);
  driver.on_datagram(mono_time{3s}, {"192.0.2.11", udp_port}, *from_hex("1081"), out);
  log.all.clear();
  driver.log_statistics();
  REQUIRE(log.all.size() == 2);
  CHECK(log.all[0].find("mod=echonet evt=node node=192.0.2.10 ") != std::string::npos);
  CHECK(log.all[0].find(" garbage=1 ") != std::string::npos);
  CHECK(log.all[1].find("evt=strangers garbage=1") != std::string::npos);
}
