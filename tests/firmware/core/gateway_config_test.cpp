// Goal: which configuration stands, and what the relay is told of it.
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

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
