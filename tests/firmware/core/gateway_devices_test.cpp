// Goal: what is recorded of devices, and that strangers cannot fill the outbox.
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

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
