// Goal: a store that is lost, spoilt or goes back in time; garbage on the line.
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

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
