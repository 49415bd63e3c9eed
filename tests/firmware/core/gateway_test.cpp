#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

gateway_bench watching() {
  gateway_bench b;
  b.setup.file_config = config_of({appliance(1)});
  b.set_wall(in_slot(0, 0));
  return b;
}

// A reading a minute until `until`; on between the two moments.
void live(gateway_bench& b, wall_at until, wall_at on_from = wall_at::max(), wall_at on_to = wall_at::max()) {
  while (b.box && b.wall() < until) {
    b.read(b.wall() >= on_from && b.wall() < on_to);
    b.run_for(60s);
  }
}

}  // namespace

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

// ---- configuration

TEST_CASE("the relay's configuration is taken, stored, told, and stands after a restart") {
  gateway_bench b;
  b.set_wall(in_slot(0, 0));
  b.relay.config = config_of({appliance(7)});
  b.relay.config->version = 3;
  b.start();
  b.run_for(2s);
  REQUIRE(b.box->config().version == 3);
  CHECK(b.device->last_plan.watches.size() == 1);
  REQUIRE(b.relay.others.size() == 1);
  CHECK(std::get<wire::config_applied>(b.relay.others[0]) == wire::config_applied{3, true, {}});
  CHECK(b.events(wire::event_kind::config_applied) == std::vector{wire::event{wire::event_kind::config_applied, 3}});
  b.crash();
  b.start();
  CHECK(b.box->config() == *b.relay.config);
  b.run_for(2s);
  CHECK(b.relay.config_sent == 1);
}

TEST_CASE("a configuration that cannot be run is refused with the reason, and the former stays") {
  auto b = watching();
  b.relay.config = config_of({appliance(7), appliance(7)});
  b.relay.config->version = 3;
  b.start();
  b.run_for(2s);
  CHECK(b.box->config().version == 1);
  REQUIRE(b.relay.others.size() == 1);
  const auto& answer = std::get<wire::config_applied>(b.relay.others[0]);
  CHECK_FALSE(answer.accepted);
  CHECK(answer.reason == "appliance 1: id: used twice");
  CHECK(b.events(wire::event_kind::config_refused).size() == 1);
  b.cut_line();
  b.line_up = true;
  b.run_for(10s);
  CHECK(b.relay.config_sent == 2);
  CHECK(b.events(wire::event_kind::config_refused).size() == 1);  // told once
}

TEST_CASE("the same configuration again is confirmed, nothing is begun anew") {
  gateway_bench b;
  b.set_wall(in_slot(0, 0));
  b.relay.config = config_of({appliance(7)});
  b.start();
  b.run_for(2s);
  REQUIRE(b.device->plans == 1);
  const auto frame = wire::encode_frame(*b.relay.config);
  b.box->on_link_bytes(b.now, *b.link, *frame, b.out);
  b.settle();
  CHECK(b.device->plans == 1);
  REQUIRE(b.relay.others.size() == 2);
  CHECK(std::get<wire::config_applied>(b.relay.others[1]).accepted);
}

TEST_CASE("of file and stored configuration the newer stands; an older one from the relay is refused") {
  auto b = watching();
  b.setup.file_config->version = 5;
  b.relay.config = config_of({appliance(7)});
  b.relay.config->version = 4;
  b.start();
  b.run_for(2s);
  CHECK(b.box->config().version == 5);
  CHECK_FALSE(std::get<wire::config_applied>(b.relay.others.at(0)).accepted);
  b.relay.config->version = 6;
  b.cut_line();
  b.line_up = true;
  b.run_for(10s);
  CHECK(b.box->config().version == 6);
  b.crash();
  b.start();
  CHECK(b.box->config().version == 6);
}

// ---- devices

TEST_CASE("device reports and faults are recorded with the appliance they serve") {
  auto b = watching();
  b.start();
  b.run_for(10min);
  b.observe(drivers::device_presence{"fe00/060201", 0x060201, drivers::presence_change::silent, 5, b.now - 5min});
  b.observe(drivers::device_presence{"fe00/001101", 0x001101, drivers::presence_change::found, 5, {}});
  b.observe(drivers::device_fault{"fe00/060201", 0x060201, true, 3});
  const auto reports = b.stored<wire::device_report>();
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].appliance == appliance_id{1});
  CHECK(reports[0].change == wire::device_change::silent);
  CHECK(reports[0].since == in_slot(0, 300'000));
  CHECK_FALSE(reports[1].appliance);
  REQUIRE(b.stored<wire::device_fault>().size() == 1);
  CHECK(b.stored<wire::device_fault>()[0].description == 3);
}

TEST_CASE("reports and missed readings from before time is known carry their true times") {
  auto b = watching();
  b.disciplined = false;
  b.set_wall(wall_from_ms(1000));
  b.line_up = false;
  b.start();
  b.run_for(60s);
  for (int i = 0; i < 300; ++i) {  // more than are kept
    b.observe(drivers::device_presence{"fe00/060201", 0x060201, drivers::presence_change::moved, 5, {}});
  }
  b.observe(drivers::device_presence{"fe00/060201", 0x060201, drivers::presence_change::back, 5, {}});
  b.observe(drivers::device_fault{"fe07/060301", 0x060301, true, 3});
  b.observe(drivers::reading_missed{"fe00/060201", 0x060201});
  b.run_for(60s);
  b.disciplined = true;
  b.set_wall(in_slot(0, 120'000));
  b.tell_clock();
  b.observe(drivers::reading_missed{"fe00/060201", 0x060201});
  b.line_up = true;
  live(b, in_slot(1, 0));
  const auto reports = b.stored<wire::device_report>();
  CHECK(reports.size() == 255);
  CHECK(reports.back().change == wire::device_change::back);
  CHECK(reports.back().since == in_slot(0, 60'000));
  const auto slots = b.stored<wire::slot_closed>();
  REQUIRE(slots.size() == 1);
  CHECK(slots[0].appliances[0].readings_expected == slots[0].appliances[0].readings_got + 2);
}

TEST_CASE("what is too long for the wire is left out") {
  auto b = watching();
  b.start();
  b.run_for(2s);
  const std::string longer(wire::device_key_max + 1, 'x');
  b.observe(drivers::device_presence{longer, 0x060201, drivers::presence_change::found, 5, {}});
  b.observe(drivers::device_fault{longer, 0x060201, true, 3});
  CHECK(b.stored<wire::device_report>().empty());
  CHECK(b.stored<wire::device_fault>().empty());
}

TEST_CASE("the driver's datagrams go out with its number") {
  auto b = watching();
  b.start();
  b.device->wake = b.now + 5s;
  b.line_up = false;
  while (b.box->next_wake() < b.device->wake) b.run_until(b.box->next_wake());
  b.now = b.device->wake;
  b.box->on_wake(b.now, b.out);
  REQUIRE(b.out.datagrams.size() == 1);
  CHECK(b.out.datagrams[0].driver == 0);
  CHECK(b.out.datagrams[0].datagram.payload == bytes{1, 2, 3});
  CHECK(b.box->statistics().datagrams_out == 1);
}

TEST_CASE("strangers on the home network cannot fill the outbox") {
  auto b = watching();
  b.start();
  for (int i = 0; i < 1000; ++i) {
    b.observe(drivers::device_presence{"x/" + std::to_string(i), 0x0011FF, drivers::presence_change::found, 0, {}});
  }
  b.run_for(1s);
  CHECK(b.stored<wire::device_report>().size() == 64);
  b.observe(drivers::device_fault{"x/7", 0x0011FF, true, 3});
  CHECK(b.stored<wire::device_fault>().empty());
  b.run_for(15min);
  b.observe(drivers::device_fault{"x/7", 0x0011FF, true, 3});
  CHECK(b.stored<wire::device_fault>().size() == 1);
  b.observe(drivers::device_presence{"fe00/060201", 0x060201, drivers::presence_change::silent, 5, b.now});
  CHECK(b.stored<wire::device_report>().back().appliance == appliance_id{1});
}

// ---- clock

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

// ---- store and sequences

TEST_CASE("a corrupt file put aside: a new epoch, told by an event, and the slots go on") {
  auto b = watching();
  b.start();
  live(b, in_slot(2, 0));
  b.crash();
  b.disk.recreate(78);
  b.start();
  live(b, in_slot(4, 0));
  CHECK(b.relay.faults.empty());
  CHECK(b.relay.stored.size() == 2);
  CHECK(b.events(wire::event_kind::outbox_recreated).size() == 1);
}

TEST_CASE("the file is found corrupt while running: the session begins anew, configuration and slots are kept") {
  gateway_bench b;
  b.set_wall(in_slot(0, 0));
  b.relay.config = config_of({appliance(1)});
  b.relay.config->version = 3;
  b.start();
  b.run_for(2s);
  live(b, in_slot(2, 120'000));
  b.disk.recreate(78);
  b.disk.fail_from = b.disk.commits + 1;
  b.disk.fail_count = 1;
  live(b, in_slot(5, 0));
  CHECK(b.relay.faults.empty());
  CHECK(b.relay.hellos.back().epoch == outbox_epoch{78});
  CHECK(b.events(wire::event_kind::outbox_recreated).size() == 1);
  CHECK(b.told().size() == 5);
  for (const auto& [slot, times] : b.told()) CHECK(times == 1);
  REQUIRE(b.disk.config);
  b.crash();
  b.start();
  CHECK(b.box->config().version == 3);
}

TEST_CASE("a store that went back in time does not make new records look old") {
  auto b = watching();
  b.start();
  live(b, in_slot(2, 0));
  const auto old_disk = b.disk;
  live(b, in_slot(8, 0));
  b.crash();
  b.disk = old_disk;
  b.start();
  live(b, in_slot(10, 0));
  CHECK(b.relay.faults.empty());
  CHECK(b.stored<wire::slot_closed>().back().slot == slot0 + 9);
  CHECK(b.box->statistics().malformed == 1);
}

TEST_CASE("a spoilt checkpoint or configuration in the store does not stop the gateway") {
  auto b = watching();
  b.disk.checkpoint = bytes{1, 2, 3};
  b.disk.config = bytes{9, 9, 9};
  b.start();
  live(b, in_slot(1, 0));
  CHECK(b.stored<wire::slot_closed>().size() == 1);
}

TEST_CASE("events of an old link and garbage are survived") {
  auto b = watching();
  b.start();
  b.run_for(2s);
  REQUIRE(b.link);
  b.box->on_link_bytes(b.now, *b.link + 7, bytes{1, 2, 3}, b.out);
  b.box->on_link_closed(b.now, *b.link - 1, {errc::net_closed, {}}, b.out);
  CHECK(b.box->statistics().uplink == uplink_state::live);
  b.box->on_link_bytes(b.now, *b.link, bytes{0, 0, 0}, b.out);
  b.settle();
  CHECK(b.box->statistics().uplink == uplink_state::idle);
  CHECK(b.box->statistics().malformed == 1);
  b.run_for(5s);
  CHECK(b.box->statistics().uplink == uplink_state::live);
}
