// Goal: slots while the clock is unknown, uncertain or stepping.
#include "firmware/core/slot_clock.hpp"
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

TEST_CASE("no clock at first: readings are kept and their slots made when the relay tells the time") {
  auto b = watching();
  b.disciplined = false;
  b.set_wall(wall_from_ms(1000));  // 1970: not plausible
  b.line_up = false;
  b.start();
  for (int i = 0; i < 60; ++i) {
    b.read(i == 20);
    b.run_for(60s);
  }
  CHECK_FALSE(b.box->statistics().clock_known);
  CHECK(b.box->statistics().slots_closed == 0);
  b.line_up = true;
  b.relay.wall_offset = in_slot(4, 0).time_since_epoch() - b.now.time_since_epoch();
  while (b.relay.hellos.empty()) b.run_for(1s);
  const auto true_start = in_slot(0, 0);
  b.run_for(1s);
  CHECK(b.box->statistics().clock_synced);
  const auto slots = b.stored<wire::slot_closed>();
  REQUIRE_FALSE(slots.empty());
  CHECK(slots[0].slot == slot_of(true_start));
  int on = 0;
  for (const auto& slot : slots) {
    CHECK_FALSE(slot.time_uncertain);
    if (slot.appliances[0].state == slot_state::on) {
      ++on;
      CHECK(slot.slot == slot_of(true_start + 20min));
    }
  }
  CHECK(on == 1);
  CHECK(b.events(wire::event_kind::clock_synced).size() == 1);
}

// Found by a box with a clock an hour wrong, pressed before its device channel was up: the press had the wrong time.
TEST_CASE("the relay's word over the emergency lane is the time, before the device channel is up") {
  auto b = watching();
  b.disciplined = false;
  b.line_up = false;
  b.start();
  const wall_at wrong = b.box->wall(b.now);
  CHECK_FALSE(b.box->statistics().clock_known);
  b.tell_relay_time({wrong + 1h - 5s, 200ms, b.now - 5s});   // heard five seconds ago
  CHECK(b.box->statistics().clock_synced);
  CHECK(b.box->wall(b.now) >= wrong + 1h);
  CHECK(b.box->wall(b.now) <= wrong + 1h + 200ms);
  b.tell_relay_time({wrong + 9h, relay_round_trip_max + 1ms, b.now});   // a word that was under way too long
  CHECK(b.box->wall(b.now) <= wrong + 1h + 200ms);
}

TEST_CASE("with only a plausible clock it waits ten minutes, then goes on and marks slots uncertain") {
  auto b = watching();
  b.disciplined = false;
  b.line_up = false;
  b.start();
  live(b, in_slot(0, 540'000));
  CHECK_FALSE(b.box->statistics().clock_known);
  live(b, in_slot(1, 0));
  CHECK(b.box->statistics().clock_known);
  CHECK_FALSE(b.box->statistics().clock_synced);
  live(b, in_slot(2, 300'000));
  b.relay.wall_offset = b.calendar_offset + 1s;
  b.line_up = true;
  live(b, in_slot(5, 0));
  const auto slots = b.stored<wire::slot_closed>();
  REQUIRE(slots.size() == 5);
  CHECK(slots[0].time_uncertain);
  CHECK(slots[1].time_uncertain);
  CHECK(slots[2].time_uncertain);
  CHECK_FALSE(slots[4].time_uncertain);
}

TEST_CASE("a forward step closes the open slot and tells the skipped ones as a gap") {
  auto b = watching();
  b.start();
  live(b, in_slot(1, 300'000));
  b.calendar_offset += 45min;
  b.tell_clock();
  live(b, in_slot(6, 0));
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
  CHECK(b.told().size() == 6);
  const auto gaps = b.stored<wire::slot_gap>();
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].first_slot == slot0 + 2);
  CHECK(gaps[0].count == 2);
  CHECK(gaps[0].reason == wire::gap_reason::clock_step);
  const auto slots = b.stored<wire::slot_closed>();
  CHECK(slots[1].time_uncertain);
  CHECK(slots[2].slot == slot0 + 4);
  CHECK(slots[2].time_uncertain);
  CHECK(b.events(wire::event_kind::clock_stepped).at(0).value == 45 * 60'000);
}

TEST_CASE("a backward step within a slot's length: the open slot lasts until time catches up") {
  auto b = watching();
  b.start();
  live(b, in_slot(2, 120'000));
  b.calendar_offset -= 10min;
  b.tell_clock();
  live(b, in_slot(4, 0));
  CHECK(b.told().size() == 4);
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
  CHECK(b.stored<wire::slot_closed>()[2].time_uncertain);
}

TEST_CASE("far ahead and not acknowledged: the slots of the future are taken back and made at their real time") {
  auto b = watching();
  b.line_up = false;
  b.start();
  std::uint32_t counter = 1000;
  const auto meter = [&b, &counter](int minutes) {
    for (int i = 0; i < minutes; ++i) {
      b.read(false, ++counter);
      b.run_for(60s);
    }
  };
  meter(15 * 3);
  b.calendar_offset += 24h * 365 * 9;
  b.tell_clock();
  meter(15 * 8);
  b.calendar_offset -= 24h * 365 * 9;
  b.tell_clock();
  meter(15 * 4);
  b.line_up = true;
  b.run_for(301s);
  CHECK(b.relay.faults.empty());
  const auto told = b.told();
  for (const auto& [slot, times] : told) CHECK(times == 1);
  CHECK(told.begin()->first == slot0);
  CHECK(told.rbegin()->first == slot_of(b.wall()) - 1);
  CHECK(static_cast<int>(told.size()) == slot_of(b.wall()) - slot0);
  std::uint64_t energy = 0;
  for (const auto& slot : b.stored<wire::slot_closed>()) energy += slot.appliances[0].energy_wh.value_or(0);
  CHECK(energy + 20 >= counter - 1001);  // the rest is in the open slot
  CHECK(energy <= counter - 1001);
}

TEST_CASE("far ahead and acknowledged: it waits at the first slot not told, but never more than a day") {
  auto b = watching();
  b.start();
  live(b, in_slot(2, 0));
  b.calendar_offset += 3h;
  b.tell_clock();
  live(b, in_slot(15, 0));
  b.calendar_offset -= 3h;
  b.tell_clock();
  live(b, in_slot(18, 0));
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
  CHECK(b.told().size() == 18);
  b.calendar_offset += 24h * 365;
  b.tell_clock();
  live(b, in_slot(96 * 365 + 20, 0));
  b.calendar_offset -= 24h * 365;
  b.tell_clock();
  live(b, in_slot(24, 0));
  CHECK(b.stored<wire::slot_closed>().back().slot == slot0 + 23);
}
