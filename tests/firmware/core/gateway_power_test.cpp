// The whole core under power cuts, failing stores, line cuts and clock steps: what the relay ends up with is what happened.
#include "protocol/base/prng.hpp"
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

struct truth {
  std::set<slot_index> used;          // slots in which the box heard of use and lived to the end of that turn
  std::uint32_t counter = 5000;
  std::optional<std::uint32_t> first_counter;
};

gateway_bench make_bench(std::uint64_t seed) {
  gateway_bench b;
  b.setup.file_config = config_of({appliance(1)});
  b.setup.seed = seed;
  b.set_wall(in_slot(0, 0));
  return b;
}

void hear(gateway_bench& b, truth& t, bool on) {
  t.counter += on ? 2 : 0;
  b.read(on, t.counter);
  if (!b.box) return;
  if (!t.first_counter) t.first_counter = t.counter;
  if (on) t.used.insert(slot_of(b.wall()));
}

void restart_if_dead(gateway_bench& b, prng& random) {
  if (b.box) return;
  b.now += millis{random.between(0, 40 * 60'000)};
  b.start();
  if (!b.box) b.start();  // cut again while starting
}

void finish(gateway_bench& b) {
  b.disk.fail_count = 0;
  b.disk.cut_at = 0;
  b.line_up = true;
  if (!b.box) b.start();
  b.run_for(20min);  // longer than any back-off
  REQUIRE(b.box);
  REQUIRE(b.box->statistics().records_held == 0);
}

void check(const gateway_bench& b, const truth& t) {
  for (const auto& fault : b.relay.faults) FAIL_CHECK(fault);
  const auto told = b.told();
  REQUIRE_FALSE(told.empty());
  slot_index expected = told.begin()->first;
  for (const auto& [slot, times] : told) {
    CHECK(slot == expected);
    CHECK(times == 1);
    ++expected;
  }
  CHECK(expected == slot_of(b.wall()));
  std::set<slot_index> on;
  std::uint64_t energy = 0;
  for (const auto& slot : b.stored<wire::slot_closed>()) {
    if (slot.appliances[0].state == slot_state::on) on.insert(slot.slot);
    energy += slot.appliances[0].energy_wh.value_or(0);
  }
  for (const auto slot : t.used) {
    INFO("slot " << slot - slot0);
    CHECK((on.contains(slot) || slot >= expected));
  }
  if (t.first_counter) CHECK(energy <= t.counter - *t.first_counter);
}

// A day and a half of life, the same for each `cut_at`.
std::uint64_t life(std::uint64_t cut_at, memory_outbox::cut when) {
  auto b = make_bench(3);
  truth t;
  prng random{11};
  b.disk.cut_at = cut_at;
  b.disk.cut_when = when;
  b.start();
  restart_if_dead(b, random);
  for (int minute = 0; minute < 60 * 5; ++minute) {
    if (minute == 100) b.cut_line();
    if (minute == 160) b.line_up = true;
    hear(b, t, minute % 37 == 5);
    restart_if_dead(b, random);
    b.run_for(60s);
    restart_if_dead(b, random);
  }
  const auto commits = b.disk.commits;
  finish(b);
  check(b, t);
  std::uint64_t energy = 0;
  for (const auto& slot : b.stored<wire::slot_closed>()) energy += slot.appliances[0].energy_wh.value_or(0);
  // All of it: only the very first baseline may have been lost with a cut.
  CHECK(energy + 4 >= t.counter - *t.first_counter);
  return commits;
}

}  // namespace

// Goal: the power may go at any commit, before or after it took effect: no slot lost or doubled, no use forgotten.
TEST_CASE("a power cut at every commit of a life") {
  const std::uint64_t commits = life(0, memory_outbox::cut::before);
  REQUIRE(commits > 20);
  for (std::uint64_t at = 1; at <= commits; ++at) {
    INFO("cut at commit " << at);
    life(at, memory_outbox::cut::before);
    life(at, memory_outbox::cut::after);
  }
}

TEST_CASE("random power cuts, line cuts and store failures: every slot once, energy and use kept") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    auto b = make_bench(seed);
    truth t;
    b.start();
    for (int minute = 0; minute < 60 * 24; ++minute) {
      if (random.chance(3)) {
        b.disk.cut_at = b.disk.commits + 1 + random.below(3);
        b.disk.cut_when = random.chance(500) ? memory_outbox::cut::before : memory_outbox::cut::after;
      }
      if (random.chance(5)) b.crash();
      if (random.chance(5)) {
        b.disk.fail_from = b.disk.commits + 1;
        b.disk.fail_count = random.below(20);
      }
      if (random.chance(10) && b.box) b.cut_line();
      if (random.chance(100)) b.line_up = true;
      b.relay.acks = !random.chance(20);
      restart_if_dead(b, random);
      // A failing store and a power cut together may forget use: nothing durable is possible then.
      const bool durable = b.box && b.box->statistics().storage_ok && b.disk.fail_count == 0;
      const auto before = t.used;
      if (b.box) hear(b, t, random.chance(60));
      if (!durable) t.used = before;
      if (b.box) b.run_for(millis{random.between(1, 120'000)});
    }
    b.relay.acks = true;
    finish(b);
    check(b, t);
  }
}

// Goal: however the machine's clock jumps, each slot is told once, in order, none skipped.
TEST_CASE("random clock steps forward and back: every slot once") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    auto b = make_bench(seed);
    truth t;
    b.start();
    const millis true_offset = b.calendar_offset;
    for (int minute = 0; minute < 60 * 12; ++minute) {
      if (random.chance(20)) {
        millis step{random.between(-5'000, 5'000)};
        if (random.chance(500)) step = millis{random.between(-4 * slot_ms, 4 * slot_ms)};
        b.calendar_offset += step;
      }
      if (random.chance(100)) b.calendar_offset = true_offset;
      if (random.chance(300)) b.tell_clock();
      if (random.chance(10)) b.cut_line();
      if (random.chance(50)) b.line_up = true;
      if (random.chance(4)) b.crash();
      restart_if_dead(b, random);
      hear(b, t, random.chance(100));
      b.run_for(60s);
    }
    b.calendar_offset = std::max(b.calendar_offset, true_offset + 10h);  // beyond all that was told
    b.tell_clock();
    finish(b);
    t.used.clear();  // which slot a use fell into is not defined while the calendar jumps
    check(b, t);
  }
}

// Goal: a clock that is years ahead and comes back is undone while nothing of it was acknowledged.
TEST_CASE("random far steps while offline are taken back entirely") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    auto b = make_bench(seed);
    truth t;
    b.line_up = false;
    b.start();
    const millis true_offset = b.calendar_offset;
    for (int hour = 0; hour < 30; ++hour) {
      const bool astray = random.chance(300);
      b.calendar_offset = true_offset + (astray ? millis{random.between(0, 3'000'000'000)} : 0ms);
      b.tell_clock();
      for (int i = 0; i < 60; ++i) {
        hear(b, t, false);
        b.run_for(60s);
      }
      if (random.chance(200)) {
        b.crash();
        b.now += millis{random.between(0, 7'200'000)};
        b.start();
      }
    }
    b.calendar_offset = true_offset;
    b.tell_clock();
    finish(b);
    check(b, t);
    CHECK(b.told().begin()->first == slot0);
  }
}

TEST_CASE("the same happenings give the same records") {
  const auto run = [] {
    prng random{99};
    auto b = make_bench(1);
    truth t;
    b.start();
    for (int minute = 0; minute < 500; ++minute) {
      if (random.chance(20)) b.cut_line();
      if (random.chance(100)) b.line_up = true;
      hear(b, t, random.chance(100));
      b.run_for(millis{random.between(1, 100'000)});
    }
    finish(b);
    return b.relay.stored;
  };
  CHECK(run() == run());
}
