// Goal: a gateway in short scenes: slots, line and store come and go.
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

TEST_CASE("a day's slots reach the relay, each once, as they close") {
  auto b = watching();
  b.start();
  live(b, in_slot(96, 0), in_slot(10, 0), in_slot(11, 0));
  CHECK(b.relay.faults.empty());
  const auto slots = b.stored<wire::slot_closed>();
  REQUIRE(slots.size() == 96);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    CHECK(slots[i].slot == slot0 + static_cast<int>(i));
    CHECK(slots[i].appliances[0].state == (i == 10 ? slot_state::on : slot_state::off));
    CHECK(slots[i].appliances[0].readings_got == 15);
    CHECK_FALSE(slots[i].time_uncertain);
  }
  CHECK(slots[10].appliances[0].on_seconds == 900);
  CHECK(b.events(wire::event_kind::started).size() == 1);
  CHECK(b.box->statistics().slots_closed == 96);
  CHECK(b.box->statistics().uplink == uplink_state::live);
}

TEST_CASE("a slot is closed and sent at its end though no reading comes") {
  auto b = watching();
  b.start();
  b.run_until(b.now + slot_length);
  REQUIRE(b.stored<wire::slot_closed>().size() == 1);
  CHECK(b.stored<wire::slot_closed>()[0].appliances[0].state == slot_state::unknown);
  CHECK(b.wall() == in_slot(1, 0));
}

TEST_CASE("offline it goes on, and everything arrives later") {
  auto b = watching();
  b.line_up = false;
  b.start();
  live(b, in_slot(96 * 3, 0));
  CHECK(b.box->statistics().records_held >= 96 * 3);
  b.line_up = true;
  live(b, in_slot(96 * 3 + 1, 0));
  CHECK(b.relay.faults.empty());
  CHECK(b.told().size() == 96 * 3 + 1);
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
}

TEST_CASE("nothing is sent that is not durable; a failing store does not stop the slots") {
  auto b = watching();
  b.start();
  b.disk.fail_from = b.disk.commits + 1;
  b.disk.fail_count = 1'000'000;
  live(b, in_slot(4, 0));
  CHECK(b.stored<wire::slot_closed>().empty());
  CHECK_FALSE(b.box->statistics().storage_ok);
  CHECK(b.box->statistics().records_pending == 4);
  b.disk.fail_count = 0;
  b.run_for(10s);
  CHECK(b.stored<wire::slot_closed>().size() == 4);
  CHECK(b.box->statistics().storage_ok);
}

TEST_CASE("a store that cannot be loaded at first: readings wait, slots are made when it can") {
  auto b = watching();
  b.disk.loads_to_fail = 10;
  b.start();
  CHECK(b.relay.hellos.empty());
  b.run_for(120s);
  CHECK(b.relay.hellos.size() == 1);
  live(b, in_slot(2, 0));
  CHECK(b.told().size() == 2);
}

TEST_CASE("a stop and a start: same slots, nothing doubled, the time off is missing") {
  auto b = watching();
  b.start();
  live(b, in_slot(2, 300'000), in_slot(2, 60'000), in_slot(2, 120'000));
  b.stop();
  REQUIRE_FALSE(b.relay.others.empty());
  CHECK(std::get<wire::bye>(b.relay.others.back()).reason == wire::bye_reason::shutdown);
  b.now += 10s;
  b.start();
  live(b, in_slot(3, 0));
  b.stop();
  b.now += 60min;
  b.start();
  live(b, in_slot(9, 0));
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
  CHECK(b.told().size() == 9);
  const auto slots = b.stored<wire::slot_closed>();
  CHECK(slots[2].appliances[0].state == slot_state::on);  // seen before the stop
  const auto gaps = b.stored<wire::slot_gap>();
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].reason == wire::gap_reason::gateway_off);
}
