#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

bench running(std::uint32_t gap_s = 180) {
  bench b;
  b.configure(config_of({appliance(1)}, gap_s));
  b.begin(in_slot(0, 0));
  b.out = {};
  return b;
}

}  // namespace

// Goal: a moment belongs to the slot with start <= t < end, at the millisecond.
TEST_CASE("a reading at :14:59.999 is of the old slot, at :15:00.000 of the new one") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(1, -1), false);
  SECTION("last millisecond") {
    b.read(in_slot(1, -1), state_reading(true));
    b.read(in_slot(1, 0), state_reading(false));
    b.hold(in_slot(1, 60'000), in_slot(2, 1), false);
    CHECK(b.cell(0).state == slot_state::on);
    CHECK(b.cell(0).on_seconds == 1);
    CHECK(b.cell(1).state == slot_state::off);
  }
  SECTION("first millisecond") {
    b.read(in_slot(1, 0), state_reading(true));
    b.read(in_slot(1, 1), state_reading(false));
    b.hold(in_slot(1, 60'000), in_slot(2, 1), false);
    CHECK(b.cell(0).state == slot_state::off);
    CHECK(b.cell(1).state == slot_state::on);
    CHECK(b.cell(1).on_seconds == 1);
  }
  SECTION("on and off within one millisecond was on") {
    b.read(in_slot(0, 890'000), state_reading(true));
    b.read(in_slot(0, 890'000), state_reading(false));
    b.advance(in_slot(1, 0));
    CHECK(b.cell(0).state == slot_state::on);
    CHECK(b.cell(0).on_seconds == 1);
  }
}

TEST_CASE("a held ON goes on into the next slot; off exactly at the edge does not mark it") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(0, 870'000), false);
  b.read(in_slot(0, 870'000), state_reading(true));
  SECTION("held over the edge") {
    b.read(in_slot(1, 1), state_reading(false));
    b.hold(in_slot(1, 60'000), in_slot(2, 1), false);
    CHECK(b.cell(1).state == slot_state::on);
    CHECK(b.cell(1).on_seconds == 1);
  }
  SECTION("off at the edge") {
    b.read(in_slot(1, 0), state_reading(false));
    b.hold(in_slot(1, 60'000), in_slot(2, 1), false);
    CHECK(b.cell(1).state == slot_state::off);
    CHECK(b.cell(1).on_seconds == 0);
  }
  CHECK(b.cell(0).on_seconds == 30);
}

TEST_CASE("a slot ends on time though nothing is heard; a whole slot on has 900 seconds") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(1, 0), true);
  b.advance(in_slot(1, -1));
  CHECK(b.closed().empty());
  b.advance(in_slot(1, 0));
  REQUIRE(b.closed().size() == 1);
  CHECK(b.cell(0).on_seconds == 900);
  CHECK(b.closed()[0].slot == slot0);
  CHECK_FALSE(b.closed()[0].time_uncertain);
}

// Goal: ON if ever seen on; else UNKNOWN if a part is missing; else OFF - at the gap limit's own millisecond.
TEST_CASE("the gap limit to the millisecond") {
  auto b = running(180);
  b.read(in_slot(0, 0), state_reading(false));
  SECTION("exactly the limit is not missing") {
    for (std::int64_t ms = 180'000; ms <= 720'000; ms += 180'000) b.read(in_slot(0, ms), state_reading(false));
    b.advance(in_slot(1, 0));
    CHECK(b.cell(0).state == slot_state::off);
  }
  SECTION("a millisecond more is") {
    b.read(in_slot(0, 180'001), state_reading(false));
    b.hold(in_slot(0, 240'000), in_slot(1, 0), false);
    b.advance(in_slot(1, 0));
    CHECK(b.cell(0).state == slot_state::unknown);
  }
  SECTION("missing and on is on, and only known time counts") {
    b.read(in_slot(0, 60'000), state_reading(true));
    b.advance(in_slot(1, 0));
    CHECK(b.cell(0).state == slot_state::on);
    CHECK(b.cell(0).on_seconds == 180);
  }
  SECTION("missing at the end only") {
    b.hold(in_slot(0, 60'000), in_slot(0, 719'999), false);
    b.advance(in_slot(1, 0));  // the last reading was at 660 s and stands until 840 s
    CHECK(b.cell(0).state == slot_state::unknown);
  }
}

TEST_CASE("no reading at all is UNKNOWN; an appliance that begins in mid-slot was not seen before") {
  auto b = running();
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).state == slot_state::unknown);
  b.hold(in_slot(1, 1), in_slot(3, 0), false, 30s);
  b.advance(in_slot(3, 0));
  CHECK(b.cell(1).state == slot_state::unknown);  // its first millisecond is missing
  CHECK(b.cell(2).state == slot_state::off);
}

TEST_CASE("reading counts: polled ones are expected, got if they tell the state; missed ones are expected") {
  auto b = running();
  b.read(in_slot(0, 0), state_reading(false));
  b.read(in_slot(0, 60'000), appliance_reading{});  // answered, but without the state
  b.slots.on_missed(0);
  auto announced = state_reading(true);
  announced.polled = false;
  b.read(in_slot(0, 61'000), announced);
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).readings_expected == 3);
  CHECK(b.cell(0).readings_got == 1);
  CHECK(b.cell(0).state == slot_state::on);
}

TEST_CASE("a poll told in parts is one expected reading, and got if any of its parts told the state") {
  auto b = running();
  auto part = state_reading(true);
  part.polled = false;
  b.read(in_slot(0, 0), part);
  appliance_reading end;
  end.on_told = true;
  b.read(in_slot(0, 20'000), end);
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).readings_expected == 1);
  CHECK(b.cell(0).readings_got == 1);
  CHECK(b.cell(0).state == slot_state::on);
}

// ---- energy

TEST_CASE("energy is booked to the slot of the later reading") {
  auto b = running();
  b.read(in_slot(0, 0), meter_reading(true, 1000));
  b.read(in_slot(0, 600'000), meter_reading(true, 1100));
  b.read(in_slot(1, 0), meter_reading(true, 1130));
  b.read(in_slot(1, 600'000), meter_reading(true, 1130));
  b.advance(in_slot(2, 0));
  b.advance(in_slot(3, 0));
  CHECK(b.cell(0).energy_wh == 100u);
  CHECK(b.cell(1).energy_wh == 30u);
  CHECK_FALSE(b.cell(1).energy_after_gap);
  CHECK_FALSE(b.cell(2).energy_wh);
}

TEST_CASE("one reading is no energy") {
  auto b = running();
  b.read(in_slot(0, 5), meter_reading(true, 1000));
  b.advance(in_slot(1, 0));
  CHECK_FALSE(b.cell(0).energy_wh);
}

TEST_CASE("energy after a gap says so only if the earlier reading lies before the previous slot") {
  auto b = running();
  b.read(in_slot(0, 899'999), meter_reading(true, 1000));
  SECTION("previous slot") {
    b.advance(in_slot(1, 0));
    b.read(in_slot(1, 899'999), meter_reading(true, 1050));
    b.advance(in_slot(2, 0));
    CHECK(b.cell(1).energy_wh == 50u);
    CHECK_FALSE(b.cell(1).energy_after_gap);
  }
  SECTION("one before") {
    b.advance(in_slot(1, 0));
    b.advance(in_slot(2, 0));
    b.read(in_slot(2, 0), meter_reading(true, 1050));
    b.advance(in_slot(3, 0));
    CHECK(b.cell(2).energy_wh == 50u);
    CHECK(b.cell(2).energy_after_gap);
  }
}

// Goal: a wrapped, reset or swapped meter never becomes energy, and says so once.
TEST_CASE("a counter that cannot have got there is a new baseline") {
  auto b = running();
  b.read(in_slot(0, 0), meter_reading(true, 999'999'990));
  std::uint32_t next = 0;
  std::uint64_t meter = 1;
  SECTION("wrapped") { next = 5; }
  SECTION("reset") { next = 0; }
  SECTION("down by one") { next = 999'999'989; }
  b.read(in_slot(0, 60'000), meter_reading(true, next, meter));
  b.read(in_slot(0, 120'000), meter_reading(true, next + 7, meter));
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).energy_wh == 7u);
  const auto events = only<wire::event>(b.out);
  REQUIRE(events.size() == 1);
  CHECK(events[0] == wire::event{wire::event_kind::meter_rebased, 1});
}

TEST_CASE("a rise is believed up to power_w_max and one coarse step, not 1 Wh more") {
  auto b = running();
  b.read(in_slot(0, 0), meter_reading(true, 1000));
  const std::uint32_t allowed = 3000 / 60 + energy_slack_wh;  // one minute
  SECTION("at the limit") {
    b.read(in_slot(0, 60'000), meter_reading(true, 1000 + allowed));
    b.advance(in_slot(1, 0));
    CHECK(b.cell(0).energy_wh == allowed);
  }
  SECTION("over it") {
    b.read(in_slot(0, 60'000), meter_reading(true, 1001 + allowed));
    b.advance(in_slot(1, 0));
    CHECK_FALSE(b.cell(0).energy_wh);
    CHECK(only<wire::event>(b.out).size() == 1);
  }
  SECTION("after years, no overflow") {
    b.advance(in_slot(96 * 365 * 20, 0));
    b.read(in_slot(96 * 365 * 20, 0), meter_reading(true, 400'000'000));
    b.advance(in_slot(96 * 365 * 20 + 1, 0));
    CHECK(b.closed().back().appliances[0].energy_wh == 399'999'000u);
  }
}

TEST_CASE("of two meters that match, the first one counts until it is silent for the gap limit") {
  auto b = running(180);
  b.read(in_slot(0, 0), meter_reading(true, 1000, 1));
  b.read(in_slot(0, 1), meter_reading(true, 50, 2));
  b.read(in_slot(0, 60'000), meter_reading(true, 1010, 1));
  b.read(in_slot(0, 240'000), meter_reading(true, 60, 2));  // exactly the limit: still the first
  b.read(in_slot(0, 240'001), meter_reading(true, 60, 2));
  b.read(in_slot(0, 300'000), meter_reading(true, 65, 2));
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).energy_wh == 15u);
  CHECK(only<wire::event>(b.out).size() == 1);
}

// ---- gaps and restarts

TEST_CASE("whole slots slept through are one gap; the slots at its ends are told each") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(1, 0), false);
  b.advance(in_slot(5, 10));
  REQUIRE(b.closed().size() == 1);
  const auto gaps = only<wire::slot_gap>(b.out);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].first_slot == slot0 + 1);
  CHECK(gaps[0].count == 4);
  CHECK(gaps[0].reason == wire::gap_reason::gateway_off);
  CHECK(gaps[0].appliances == std::vector{appliance_id{1}});
  CHECK(b.slots.open_slot() == slot0 + 5);
}

TEST_CASE("a gap longer than a record may tell is told in parts") {
  auto b = running();
  b.advance(in_slot(static_cast<int>(wire::gap_slots_max) * 2 + 6, 0));
  const auto gaps = only<wire::slot_gap>(b.out);
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].count + gaps[1].count + gaps[2].count == wire::gap_slots_max * 2 + 5);
  CHECK(gaps[2].first_slot == slot0 + 1 + static_cast<int>(wire::gap_slots_max) * 2);
}

TEST_CASE("after a restart within the slot use is remembered and the time between is missing") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(0, 300'000), false, 30s);
  const bool on = GENERATE_COPY(false, true);
  if (on) b.read(in_slot(0, 300'000), meter_reading(true, 100));
  const auto left = b.slots.checkpoint();

  bench next;
  next.configure(config_of({appliance(1)}));
  next.slots.restore(left);
  CHECK(next.slots.open_slot_known() == slot0);
  next.begin(in_slot(0, 310'000));
  CHECK(next.out.checkpoint_wanted);
  next.read(in_slot(0, 310'000), meter_reading(false, 110));
  next.hold(in_slot(0, 310'000), in_slot(1, 0), false, 30s);
  next.advance(in_slot(1, 0));
  CHECK(next.cell(0).state == (on ? slot_state::on : slot_state::unknown));
  if (on) CHECK(next.cell(0).energy_wh == 10u);
}

TEST_CASE("after a long time off: the open slot is closed, the slept ones are a gap, energy is kept for later") {
  auto b = running();
  b.read(in_slot(0, 10), meter_reading(false, 100));
  const auto left = b.slots.checkpoint();
  bench next;
  next.configure(config_of({appliance(1)}));
  next.slots.restore(left);
  next.begin(in_slot(4, 5));
  CHECK(next.cell(0).state == slot_state::unknown);
  REQUIRE(only<wire::slot_gap>(next.out).size() == 1);
  CHECK(only<wire::slot_gap>(next.out)[0].count == 3);
  next.read(in_slot(4, 6), meter_reading(false, 150));
  next.advance(in_slot(5, 0));
  CHECK(next.cell(1).energy_wh == 50u);
  CHECK(next.cell(1).energy_after_gap);
}

TEST_CASE("begin before the slot that was left open: it stays open") {
  auto b = running();
  b.advance(in_slot(3, 0));
  const auto left = b.slots.checkpoint();
  bench next;
  next.configure(config_of({appliance(1)}));
  next.slots.restore(left);
  next.begin(in_slot(2, 0));
  CHECK(next.slots.open_slot() == slot0 + 3);
  next.advance(in_slot(4, 0));
  REQUIRE(next.closed().size() == 1);
  CHECK(next.closed()[0].slot == slot0 + 3);
}

// ---- clock corrections

TEST_CASE("a backward shift keeps the open slot open and holds by true time") {
  auto b = running(180);
  b.hold(in_slot(0, 0), in_slot(1, 0), false);
  b.read(in_slot(1, 0), state_reading(true));
  b.slots.shift(-10min);
  b.advance(in_slot(0, 300'000));
  CHECK(b.closed().size() == 1);
  b.read(in_slot(0, 300'000 + 60'000), state_reading(false));  // a minute later by true time
  b.advance(in_slot(2, 0));
  REQUIRE(b.closed().size() == 2);
  CHECK(b.cell(1).on_seconds == 60);
}

TEST_CASE("a slot made longer by a backward shift has at most 900 seconds on") {
  auto b = running();
  b.hold(in_slot(0, 0), in_slot(0, 800'000), true);
  b.slots.shift(-10min);
  b.hold(in_slot(0, 200'000), in_slot(1, 0), true);
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).on_seconds == 900);
}

TEST_CASE("uncertain time marks the open slot and those to come") {
  auto b = running();
  b.slots.mark_open_slot_uncertain();
  b.advance(in_slot(1, 0));
  b.advance(in_slot(2, 0));
  b.slots.set_time_uncertain(true);
  b.advance(in_slot(3, 0));
  b.slots.set_time_uncertain(false);
  b.advance(in_slot(4, 0));
  b.advance(in_slot(5, 0));
  const auto closed = b.closed();
  REQUIRE(closed.size() == 5);
  CHECK(closed[0].time_uncertain);
  CHECK_FALSE(closed[1].time_uncertain);
  CHECK(closed[2].time_uncertain);
  CHECK(closed[3].time_uncertain);
  CHECK_FALSE(closed[4].time_uncertain);
}

TEST_CASE("rewind takes back what was told of the slot and the energy of later ones") {
  auto b = running();
  b.read(in_slot(0, 0), meter_reading(true, 100));
  b.read(in_slot(0, 60'000), meter_reading(false, 110));
  b.advance(in_slot(1, 0));
  const auto made = b.closed()[0];
  b.advance(in_slot(40, 0));
  b.read(in_slot(40, 0), meter_reading(false, 115));
  wire::appliance_slot later;
  later.appliance = appliance_id{1};
  later.energy_wh = 3;
  b.slots.rewind(slot0, &made, {later});
  b.out = {};
  b.slots.shift(in_slot(0, 500'000) - in_slot(40, 0));
  b.advance(in_slot(1, 0));
  REQUIRE(b.closed().size() == 1);
  CHECK(b.closed()[0].time_uncertain);
  CHECK(b.cell(0).state == slot_state::on);
  CHECK(b.cell(0).energy_wh == 18u);
  CHECK(b.cell(0).energy_after_gap);
}

// ---- configuration

TEST_CASE("configurations in mid-slot: kept, changed, removed, added") {
  bench b;
  b.configure(config_of({appliance(1), appliance(2), appliance(3)}));
  b.begin(in_slot(0, 0));
  for (std::size_t i = 0; i < 3; ++i) b.read(in_slot(0, 0), state_reading(false), i);
  auto changed = appliance(2);
  changed.on_rule = wire::on_rule_kind::watts_above;
  auto renamed = appliance(1);
  renamed.label = "another";
  renamed.power_w_max = 1;
  b.configure(config_of({appliance(4), changed, renamed}, 900), in_slot(0, 1));
  b.advance(in_slot(1, 0));
  const auto slot = b.closed().at(0);
  REQUIRE(slot.appliances.size() == 3);
  CHECK(slot.appliances[0].appliance == appliance_id{4});
  CHECK(slot.appliances[0].state == slot_state::unknown);
  CHECK(slot.appliances[1].state == slot_state::unknown);  // the old rule's reading says nothing under the new one
  CHECK(slot.appliances[2].state == slot_state::off);
}

TEST_CASE("without appliances nothing is told") {
  bench b;
  b.configure(config_of({}));
  b.begin(in_slot(0, 0));
  b.advance(in_slot(9, 0));
  CHECK(b.out.records.empty());
  CHECK(b.slots.open_slot() == slot0 + 9);
}

TEST_CASE("a checkpoint is wanted when an appliance is first seen on in a slot and at the slot's end") {
  auto b = running();
  b.read(in_slot(0, 0), state_reading(false));
  CHECK_FALSE(b.out.checkpoint_wanted);
  b.read(in_slot(0, 1), state_reading(true));
  CHECK(b.out.checkpoint_wanted);
  b.out = {};
  b.read(in_slot(0, 2), state_reading(true));
  CHECK_FALSE(b.out.checkpoint_wanted);
  b.advance(in_slot(1, 0));
  CHECK(b.out.checkpoint_wanted);
  b.out = {};
  b.hold(in_slot(1, 0), in_slot(1, 1), true);
  CHECK(b.out.checkpoint_wanted);
  b.hold(in_slot(1, 60'000), in_slot(2, 0), true);
  b.advance(in_slot(2, 0));
  b.out = {};
  b.read(in_slot(2, 500), state_reading(true));  // it has been on since the slot began, by what stood before
  CHECK(b.out.checkpoint_wanted);
}
