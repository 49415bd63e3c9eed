// Goal: the cycle keeps its phase, and silence is told after three missed cycles and five minutes, whichever is later.
#include "drivers/echonet/poller.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

TEST_CASE("the first reading is taken at once, the others on the phase's grid") {
  poller p;
  const mono_time start = mono_from_ms(100'000);
  p.begin(start, 60s, 20s);
  CHECK(p.due() == start);
  p.on_reading(start + 1s);
  for (int i = 0; i < 10; ++i) {
    CHECK(p.due() == start + 20s + i * 60s);
    p.on_reading(p.due() + 2s);
  }
}

TEST_CASE("a reading out of turn leaves the grid where it is") {
  poller p;
  p.begin(mono_from_ms(0), 60s, 20s);
  p.on_reading(mono_from_ms(0));
  p.make_due(mono_from_ms(10'000));
  p.on_reading(mono_from_ms(10'100));
  CHECK(p.due() == mono_from_ms(20'000));
}

TEST_CASE("cycles that nobody had time for are left out") {
  poller p;
  p.begin(mono_from_ms(0), 60s, 20s);
  p.on_reading(mono_from_ms(490'000));
  CHECK(p.due() == mono_from_ms(500'000));  // 20 s + 8 x 60 s
}

TEST_CASE("one second round, then the cycle is missed") {
  poller p;
  p.begin(mono_from_ms(0), 60s, 0s);
  CHECK_FALSE(p.on_silence(mono_from_ms(14'000), false));
  CHECK(p.in_second_round());
  CHECK(p.due() == mono_from_ms(29'000));
  CHECK(p.on_silence(mono_from_ms(36'000), false));
  CHECK(p.due() == mono_from_ms(60'000));
  CHECK_FALSE(p.in_second_round());
  // No second round when it is known to be in vain, and none in short cycles.
  CHECK(p.on_silence(mono_from_ms(60'000), true));
  poller fast;
  fast.begin(mono_from_ms(0), 10s, 0s);
  CHECK(fast.on_silence(mono_from_ms(3'000), false));
}

TEST_CASE("silent after three missed cycles and five minutes, whichever is later; once; back once") {
  for (const auto interval : {60s, 600s}) {
    CAPTURE(interval.count());
    poller p;
    p.begin(mono_from_ms(0), interval, 0s);
    p.on_reading(mono_from_ms(0));
    int missed = 0;
    mono_time silent_at = never;
    for (int i = 0; i < 20; ++i) {
      const mono_time now = p.due();
      p.on_silence(now, true);
      ++missed;
      if (p.turned_silent(now)) {
        REQUIRE(silent_at == never);
        silent_at = now;
        CHECK(missed == (interval == 60s ? 5 : 3));
      }
    }
    CHECK(silent_at == mono_from_ms(0) + (interval == 60s ? 300s : 1'800s));
    CHECK(p.turned_back());
    CHECK_FALSE(p.turned_back());
  }
}

TEST_CASE("a plan that changes nothing changes nothing") {
  poller p;
  p.begin(mono_from_ms(0), 60s, 20s);
  p.on_reading(mono_from_ms(1'000));
  p.begin(mono_from_ms(5'000), 60s, 40s);
  CHECK(p.due() == mono_from_ms(20'000));
  p.begin(mono_from_ms(5'000), 30s, 10s);
  CHECK(p.due() == mono_from_ms(5'000));
}
