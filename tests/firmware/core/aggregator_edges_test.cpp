// Goal: the aggregator's rare turns: counters at their end, settings left at zero, a checkpoint of other appliances, slots of a
// wrong future taken back for appliances that knew nothing of them.
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

bench running(std::vector<wire::watched_appliance> appliances) {
  bench b;
  b.configure(config_of(std::move(appliances)));
  b.begin(in_slot(0, 0));
  b.out = {};
  return b;
}

wire::appliance_slot told_of(std::uint16_t id, slot_state state, std::optional<std::uint32_t> energy_wh) {
  return {.appliance = appliance_id{id}, .state = state, .on_seconds = 0, .energy_wh = energy_wh, .energy_after_gap = false,
          .readings_expected = 3, .readings_got = 2};
}

}  // namespace

TEST_CASE("more readings than a slot can count: the count stays at its end") {
  auto b = running({appliance(1)});
  for (int i = 0; i < 66'000; ++i) b.slots.on_missed(0);
  b.read(in_slot(0, 1'000), state_reading(false));
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).readings_expected == 65'535);
  CHECK(b.cell(0).readings_got == 1);
}

TEST_CASE("without a power limit the usual one holds") {
  auto unlimited = appliance(1);
  unlimited.power_w_max = 0;
  auto b = running({unlimited});
  b.read(in_slot(0, 0), meter_reading(false, 1'000));
  // In 10 minutes 3 kW make 500 Wh, and a coarse step is allowed on top.
  b.read(in_slot(0, 600'000), meter_reading(false, 1'000 + 500 + energy_slack_wh));
  b.read(in_slot(0, 600'000), meter_reading(false, 1'000 + 500 + 2 * energy_slack_wh + 1));
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0).energy_wh == 500 + energy_slack_wh);
  CHECK(only<wire::event>(b.out).size() == 1);
}

TEST_CASE("which slot is open is known while running, from a checkpoint, and otherwise not") {
  bench b;
  CHECK_FALSE(b.slots.open_slot_known().has_value());
  aggregator_checkpoint left;
  left.open = slot0 + 7;
  left.at = in_slot(7, 0);
  b.slots.restore(left);
  CHECK(b.slots.open_slot_known() == slot0 + 7);
  b.begin(in_slot(8, 0));
  CHECK(b.slots.open_slot_known() == slot0 + 8);
}

TEST_CASE("a configuration that comes while the time is not known accounts for nothing") {
  auto b = running({appliance(1)});
  b.hold(in_slot(0, 0), in_slot(0, 600'000), true);
  b.configure(config_of({appliance(1), appliance(2)}));
  b.hold(in_slot(0, 600'000), in_slot(1, 0), true);
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0, 0).on_seconds == 900);
  CHECK(b.cell(0, 1).state == slot_state::unknown);
}

TEST_CASE("a checkpoint of other appliances says nothing of those that are watched now; its doubt stays") {
  for (const bool left_uncertain : {true, false}) {
    for (const bool now_uncertain : {true, false}) {
      bench b;
      b.configure(config_of({appliance(2)}));
      aggregator_checkpoint left;
      left.open = slot0;
      left.at = in_slot(0, 60'000);
      left.uncertain = left_uncertain;
      left.appliances.push_back({appliance_id{1}, {.on_ms = 5'000, .on = true}, {}});
      left.appliances.push_back({appliance_id{2}, {.on_ms = 7'000, .on = true}, {}});
      b.slots.restore(left);
      b.begin(in_slot(0, 120'000), now_uncertain);
      b.advance(in_slot(1, 0));
      CHECK(b.closed().at(0).time_uncertain == (left_uncertain || now_uncertain));
      CHECK(b.closed().at(0).appliances.size() == 1);
      CHECK(b.cell(0).on_seconds == 7);
    }
  }
}

TEST_CASE("a rewind takes in what is told of an appliance, and leaves those alone that nothing was told of") {
  auto b = running({appliance(1), appliance(2), appliance(3)});
  b.advance(in_slot(5, 0));
  b.out = {};
  b.read(in_slot(5, 1'000), meter_reading(false, 100), 0);  // 1 has a meter, last read in the slot that is taken back
  wire::slot_closed made;
  made.slot = slot0;
  made.appliances = {told_of(1, slot_state::on, 40), told_of(2, slot_state::off, {})};
  b.slots.rewind(slot0, &made, {told_of(1, slot_state::off, {}), told_of(2, slot_state::off, 9)});
  b.advance(in_slot(1, 0));
  CHECK(b.cell(0, 0).state == slot_state::on);
  CHECK(b.cell(0, 0).energy_wh == 40);
  CHECK(b.cell(0, 0).readings_expected == 4);
  CHECK(b.cell(0, 1).state == slot_state::unknown);  // the slot was cut in two
  CHECK(b.cell(0, 1).energy_wh == 9);
  CHECK(b.cell(0, 1).energy_after_gap);
  CHECK_FALSE(b.cell(0, 2).energy_wh.has_value());
}

TEST_CASE("a rewind to a slot that was never told keeps what the open one knows, and a meter read before it its slot") {
  auto b = running({appliance(1)});
  b.read(in_slot(0, 1'000), meter_reading(true, 100));
  b.hold(in_slot(0, 60'000), in_slot(5, 60'000), true);
  b.out = {};
  b.slots.rewind(slot0 + 3, nullptr, {});
  CHECK(b.slots.checkpoint().appliances.at(0).meter->slot == slot0);
  b.advance(in_slot(4, 0));
  CHECK(b.cell(0).state == slot_state::on);
  CHECK(b.closed().at(0).time_uncertain);
}

// On before and on again, and on before and not since: both are on.
TEST_CASE("use is kept over a rewind from either side") {
  for (const bool before_on : {true, false}) {
    for (const bool since_on : {true, false}) {
      auto b = running({appliance(1)});
      b.advance(in_slot(2, 0));
      b.out = {};
      b.read(in_slot(2, 0), state_reading(since_on));
      wire::slot_closed made;
      made.slot = slot0 + 1;
      made.appliances = {told_of(1, before_on ? slot_state::on : slot_state::off, {})};
      b.slots.rewind(slot0 + 1, &made, {});
      CHECK(b.slots.checkpoint().appliances.at(0).account.on == (before_on || since_on));
    }
  }
}
