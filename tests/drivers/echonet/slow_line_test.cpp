// Goal: on a shared half-duplex line of 9,600 bit/s the poll cycle of ten adapters is close to what the wire allows.
// The model: Get of 18 bytes and Get_Res of 25 bytes, 89 ms an exchange with link headers and turnaround.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;
using namespace tomoshibi::drivers::echonet::test;

namespace {

constexpr int adapters = 10;
constexpr millis exchange_model{89};

// 43 bytes are 44 ms at 10 bits a byte; the rest is overhead, half of it each way.
const virtual_lan::options slow_line{.seed = 3, .delay = millis{0}, .line_bits_per_s = 9'600,
                                     .line_overhead = millis{22}, .driver_hears_itself = false};

read_plan three_properties(millis interval) {
  read_plan plan = watch_all({0x05fd}, interval);
  plan.watches[0].wants_sensor_state = false;
  return plan;
}

void add_adapters(virtual_lan& lan) {
  for (int i = 0; i < adapters; ++i) {
    const auto n = static_cast<std::uint64_t>(i) + 1;
    lan.add("192.0.2." + std::to_string(10 + i), n).add_object({0x05fd01});
  }
}

}  // namespace

TEST_CASE("ten adapters are polled within 1.25 times the wire model") {
  virtual_lan lan{slow_line};
  add_adapters(lan);
  // An interval that the line cannot keep: every adapter is always due, so the cycle is as fast as it goes.
  lan.start(three_properties(poll_interval_min));
  lan.run_for(5min);
  lan.forget_seen();
  const auto measured = 10min;
  lan.run_for(measured);
  const auto cycles = static_cast<std::int64_t>(lan.readings(0x05fd01)) / adapters;
  REQUIRE(cycles > 0);
  const auto cycle = millis{measured} / cycles;
  CAPTURE(cycle.count());
  CHECK(cycle <= exchange_model * adapters * 5 / 4);
  CHECK(cycle >= exchange_model * adapters * 9 / 10);  // the test's line is the model's line
}

TEST_CASE("ten adapters at one reading a minute leave the slow line idle most of the time") {
  virtual_lan lan{slow_line};
  add_adapters(lan);
  lan.keep_log = true;
  lan.start(three_properties(60s));
  lan.run_for(2min);
  lan.forget_seen();
  lan.log.clear();
  lan.run_for(60min);
  CHECK(lan.readings(0x05fd01) >= 10 * 60 - 10);
  CHECK(lan.missed(0x05fd01) == 0);
  std::size_t sent = 0;
  for (const auto& d : lan.log) sent += d.payload.size();
  CHECK(sent * 10 * 1'000 / 9'600 < 3'600'000 / 20);  // under 5 percent
  for (const auto& r : lan.driver().report()) CHECK(r.statistics.timeouts == 0);
}

TEST_CASE("discovery of ten adapters on the slow line ends within half a minute") {
  virtual_lan lan{slow_line};
  add_adapters(lan);
  lan.start(three_properties(60s));
  lan.run_for(30s);
  CHECK(lan.presence(presence_change::found) == adapters);
  CHECK(lan.readings(0x05fd01) >= adapters);
}
