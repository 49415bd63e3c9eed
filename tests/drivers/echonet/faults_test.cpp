// Goal: under every fault of a device, and on a lossy line, the driver keeps its promises: it never crashes, never floods,
// never makes up a value, each cycle ends as a reading or as missed, and healthy neighbours do not notice.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;
using twin::fault;
using twin::fault_kind;

namespace {

constexpr std::uint32_t tv = 0x060201, plug = 0x05fd01, neighbour = 0x03bb01;

struct trial : virtual_lan {
  explicit trial(std::uint64_t seed, std::uint32_t loss = 0)
      : virtual_lan({.seed = seed, .loss_per_mille = loss}),
        sick(add("192.0.2.10", 1)),
        healthy(add("192.0.2.11", 2)) {
    sick.add_object({tv});
    sick.add_object({plug});
    healthy.add_object({neighbour});
  }
  void run(millis time) {
    start(watch_all({0x0602, 0x05fd, 0x03bb}));
    run_for(time);
  }
  twin::twin_node& sick;
  twin::twin_node& healthy;
};

struct expected {
  const char* name;
  fault what;
  int percent_min;  // of polls of the sick node that must give a reading
};

const expected cases[] = {
    {"slow, in time", {fault_kind::slow, {}, never, 2'500}, 99},
    {"slow, later than the first timeout", {fault_kind::slow, {}, never, 5'000}, 97},
    {"slow, later than two timeouts", {fault_kind::slow, {}, never, 9'000}, 90},
    {"loses answers", {fault_kind::lost, {}, never, 0, 300}, 93},
    {"loses requests", {fault_kind::deaf, {}, never, 0, 300}, 93},
    {"garbage now and then", {fault_kind::garbage, {}, never, 0, 200}, 95},
    {"answers cut short", {fault_kind::cut_short, {}, never, 0, 200}, 95},
    {"everything twice", {fault_kind::duplicate}, 99},
    {"another TID now and then", {fault_kind::wrong_tid, {}, never, 0, 200}, 95},
    {"instance list twice, once with another TID", {fault_kind::twice_wrong_tid}, 99},
    {"at most 2 properties answered", {fault_kind::short_answer, {}, never, 2}, 97},
    {"at most 1 property answered", {fault_kind::short_answer, {}, never, 1}, 97},
    {"silent on more than 2 properties", {fault_kind::silent_on_many, {}, never, 2}, 95},
    {"silent on more than 1 property", {fault_kind::silent_on_many, {}, never, 1}, 95},
    {"refusals in two datagrams", {fault_kind::refusal_in_two}, 99},
    {"refuses power although it lists it", {fault_kind::refuses_power}, 99},
    {"refuses power in two datagrams", {fault_kind::refuses_power}, 99},
    {"no value", {fault_kind::no_value}, 99},
    {"no identity", {fault_kind::no_identity}, 99},
    {"zero identity", {fault_kind::zero_identity}, 99},
    {"never announces", {fault_kind::no_notice}, 99},
    {"empty notification", {fault_kind::empty_notification}, 99},
    {"speaks as its profile", {fault_kind::speaks_as_profile}, 99},
    {"wrong count in its maps", {fault_kind::wrong_map_count}, 99},
    {"meter reset", {fault_kind::meter_reset, mono_from_ms(3'600'000)}, 99},
    {"meter wrap", {fault_kind::meter_wrap, mono_from_ms(3'600'000), never, 3}, 99},
};

constexpr auto trial_time = 4h;
constexpr int polls = 4 * 60;

}  // namespace

TEST_CASE("every fault leaves the driver reading what can be read") {
  for (const expected& c : cases) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(c.name, seed);
      trial t{seed};
      t.sick.add_fault(c.what);
      if (std::string_view{c.name} == "refuses power in two datagrams") t.sick.add_fault({fault_kind::refusal_in_two});
      t.run(trial_time);
      for (const std::uint32_t e : {tv, plug}) {
        const int got = static_cast<int>(t.readings(e));
        const int missed = static_cast<int>(t.missed(e));
        CAPTURE(e, got, missed);
        CHECK(got * 100 >= polls * c.percent_min);
        CHECK(got <= polls + polls / 20 + 3);           // no doubled readings
        CHECK(got + missed >= polls * 97 / 100);        // no cycle is lost
        CHECK(t.presence(presence_change::silent) == 0);
      }
      CHECK(t.readings(neighbour) >= polls - 1);
      CHECK(t.missed(neighbour) == 0);
      // A bounded number of questions: at worst one property each and three tries.
      CHECK(t.datagrams_to("192.0.2.10") <= polls * 2 * 14);
    }
  }
}

TEST_CASE("a line that loses 30 percent of all datagrams still gives nine readings of ten") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    trial t{seed, 300};
    t.run(24h);
    for (const std::uint32_t e : {tv, plug, neighbour}) {
      CAPTURE(e, t.missed(e));
      CHECK(t.readings(e) >= 24 * 60 * 90 / 100);
    }
    CHECK(t.presence(presence_change::silent) == t.presence(presence_change::back));
  }
}

TEST_CASE("an answer in parts is told in parts: what is announced in between is not overruled by what was read before") {
  trial t{1};
  t.sick.add_fault({fault_kind::short_answer, {}, never, 1});
  t.start(watch_all({0x0602}));
  t.run_for(10min + 30s);
  std::vector<datagram> said;
  t.sick.set_use(t.now(), {tv}, true, twin::notice::none, said);
  const auto first_part = [&t]() -> const reading* {
    for (const auto& [at, o] : t.seen()) {
      if (const auto* r = std::get_if<reading>(&o); r != nullptr && r->operating == true) return r;
    }
    return nullptr;
  };
  t.forget_seen();
  while (first_part() == nullptr && t.now() < mono_from_ms(800'000)) t.run_for(1ms);
  REQUIRE(first_part() != nullptr);
  CHECK_FALSE(first_part()->polled);

  // The rest is asked for in vain for a while; meanwhile the set is switched off.
  const mono_time told_at = t.now();
  t.sick.add_fault({fault_kind::deaf, told_at, told_at + 8s});
  t.run_for(2s);
  t.sick.set_use(t.now(), {tv}, false, twin::notice::inf, said);
  t.say(t.sick, said);
  t.run_for(30s);
  std::vector<bool> states;
  std::size_t polls_ended = 0;
  for (const auto& [at, o] : t.seen()) {
    const auto* const r = std::get_if<reading>(&o);
    if (r == nullptr) continue;
    if (r->operating) states.push_back(*r->operating);
    if (!r->polled) continue;
    ++polls_ended;
    CHECK(at > told_at + 5s);
    CHECK_FALSE(r->operating.has_value());
    CHECK(r->told.operating);
  }
  CHECK(polls_ended == 1);
  CHECK(states == std::vector<bool>{true, false});
  CHECK(t.missed(tv) == 0);
}

TEST_CASE("no value is no number") {
  trial t{1};
  t.sick.add_fault({fault_kind::no_value});
  t.run(10min);
  const auto r = t.last_reading(tv);
  REQUIRE(r.has_value());
  CHECK(r->operating.has_value());
  CHECK_FALSE(r->power_w.has_value());
  CHECK_FALSE(r->energy_wh.has_value());
}

TEST_CASE("a counter that wraps or is reset is told as it is") {
  trial t{1};
  t.sick.add_fault({fault_kind::meter_wrap, mono_from_ms(600'000), never, 2});
  t.start(watch_all({0x0602}));
  std::vector<datagram> none;
  t.sick.set_use(t.now(), {tv}, true, twin::notice::none, none);
  t.run_for(11min);
  CHECK(*t.last_reading(tv)->energy_wh >= 999'999'998u);
  t.run_for(5min);
  CHECK(*t.last_reading(tv)->energy_wh < 10u);
}

TEST_CASE("a refused property rests, and is asked again now and then") {
  trial t{1};
  t.sick.add_fault({fault_kind::refuses_power, {}, mono_from_ms(3'600'000)});
  t.run(59min);
  CHECK_FALSE(t.last_reading(tv)->power_w.has_value());
  t.run_for(13min);
  CHECK(t.last_reading(tv)->power_w.has_value());
}

TEST_CASE("a power cut: missed meanwhile, identified anew, no press made up") {
  virtual_lan lan({});
  auto& node = lan.add("192.0.2.10", 1);
  node.add_object({0x000301});
  node.add_fault({fault_kind::power_cut, mono_from_ms(600'000), mono_from_ms(1'200'000)});
  lan.start(watch_all({0x0003}));
  lan.run_for(30min);
  CHECK(lan.missed(0x000301) >= 8);
  CHECK(lan.missed(0x000301) <= 11);
  CHECK(lan.presence(presence_change::silent) == 1);
  CHECK(lan.presence(presence_change::back) == 1);
  CHECK(lan.last_reading(0x000301)->active == false);
  CHECK(lan.readings(0x000301) >= 18);
}

TEST_CASE("the number of properties is learned, and a lossy line does not teach it") {
  trial small{1};
  small.sick.add_fault({fault_kind::silent_on_many, {}, never, 1});
  small.run(2h);
  CHECK(small.driver().report()[0].properties_per_request == 1);
  const node_statistics s = small.driver().report()[0].statistics;
  CHECK(s.timeouts * 20 <= s.sent);

  trial lossy{2, 300};
  lossy.run(24h);
  for (const auto& r : lossy.driver().report()) {
    if (!r.identity.empty()) CHECK(r.properties_per_request >= 2);
  }
}

TEST_CASE("a garbage flood from one address costs the others nothing") {
  trial t{1};
  prng random{9};
  t.start(watch_all({0x0602, 0x05fd, 0x03bb}));
  for (int minute = 0; minute < 60; ++minute) {
    for (int i = 0; i < 200; ++i) {
      bytes raw(random.below(100));
      for (auto& b : raw) b = static_cast<std::uint8_t>(random.next());
      if (raw.size() > 11 && random.chance(700)) {
        raw[0] = 0x10;
        raw[1] = 0x81;
        const esv services[] = {esv::inf, esv::infc, esv::get_res, esv::get_sna, esv::get, esv::set_get};
        raw[10] = static_cast<std::uint8_t>(services[random.below(6)]);
      }
      t.inject("198.51.100." + std::to_string(random.below(250)), raw);
      t.inject("192.0.2.10", std::move(raw), 2'524);
    }
    t.run_for(1min);
  }
  CHECK(t.readings(neighbour) >= 59);
  CHECK(t.missed(neighbour) == 0);
  CHECK(t.readings(tv) >= 55);
  CHECK(t.driver().report().size() <= nodes_max);
}
