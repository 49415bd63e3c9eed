#include "firmware/core/watch.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

std::string reason(const wire::config& config) {
  const auto ok = check_config(config);
  return ok ? "" : ok.error().detail;
}

}  // namespace

TEST_CASE("an appliance is served by matching objects on matching nodes") {
  auto a = appliance(1, 0x060201);
  CHECK(serves(a, "fe/060201", 0x060201));
  CHECK_FALSE(serves(a, "fe/060202", 0x060202));
  a.eoj = 0x060200;  // any instance
  CHECK(serves(a, "fe/060202", 0x060202));
  CHECK(serves(a, "fe/060200", 0x060200));
  CHECK_FALSE(serves(a, "fe/060301", 0x060301));
  a.node = "fe";
  CHECK(serves(a, "fe/060202", 0x060202));
  CHECK_FALSE(serves(a, "fe00/060202", 0x060202));
  CHECK_FALSE(serves(a, "f/060202", 0x060202));
  a.node = "ip:fe80::1";
  CHECK(serves(a, "ip:fe80::1/060201", 0x060201));
}

TEST_CASE("what counts as ON") {
  auto a = appliance(1);
  drivers::reading r;
  CHECK_FALSE(reduce(a, r).on);
  r.operating = true;
  r.active = false;
  CHECK(reduce(a, r).on == true);
  a.on_rule = wire::on_rule_kind::sensor_state;
  CHECK(reduce(a, r).on == false);
  a.on_rule = wire::on_rule_kind::watts_above;
  a.watts_above = 10;
  CHECK_FALSE(reduce(a, r).on);
  r.power_w = 10;
  CHECK(reduce(a, r).on == false);  // strictly above
  r.power_w = 11;
  CHECK(reduce(a, r).on == true);
  r.power_w = -5;
  CHECK(reduce(a, r).on == false);
  a.watts_above = 4'000'000'000;
  CHECK(reduce(a, r).on == false);
}

TEST_CASE("meters are told apart by their device") {
  const auto a = appliance(1);
  drivers::reading r;
  r.device = "fe00/060201";
  CHECK(reduce(a, r).meter == 0);
  r.energy_wh = 5;
  const auto one = reduce(a, r).meter;
  r.device = "fe01/060201";
  CHECK(reduce(a, r).meter != one);
}

TEST_CASE("the plan asks for what the rule needs") {
  auto config = config_of({appliance(1), appliance(2), appliance(3)});
  config.poll_interval_s = 30;
  config.appliances[1].on_rule = wire::on_rule_kind::watts_above;
  config.appliances[2].on_rule = wire::on_rule_kind::sensor_state;
  config.appliances[2].node = "fe";
  const auto plan = read_plan_for(config);
  CHECK(plan.poll_interval == 30s);
  REQUIRE(plan.watches.size() == 3);
  CHECK(plan.watches[0].wants_operation_status);
  CHECK_FALSE(plan.watches[0].wants_power);
  CHECK(plan.watches[1].wants_power);
  CHECK_FALSE(plan.watches[1].wants_operation_status);
  CHECK(plan.watches[2].wants_sensor_state);
  CHECK(plan.watches[2].node == "fe");
}

TEST_CASE("a configuration that cannot be run is refused, with the key and what is allowed") {
  auto good = config_of({appliance(1), appliance(2)});
  CHECK(reason(good).empty());
  CHECK(reason(config_of({})).empty());
  auto c = good;
  c.poll_interval_s = 0;
  CHECK(reason(c) == "poll_interval_s: 1..900");
  c.poll_interval_s = 901;
  CHECK(reason(c) == "poll_interval_s: 1..900");
  c = good;
  c.gap_limit_s = 59;
  CHECK(reason(c) == "gap_limit_s: poll_interval_s..3600");
  c.gap_limit_s = 3601;
  CHECK(reason(c) == "gap_limit_s: poll_interval_s..3600");
  c = good;
  c.appliances[1].appliance = appliance_id{0};
  CHECK(reason(c) == "appliance 1: id: 1..65535");
  c.appliances[1].appliance = appliance_id{1};
  CHECK(reason(c) == "appliance 1: id: used twice");
  c = good;
  c.appliances[0].eoj = 0xff;
  CHECK(reason(c) == "appliance 0: eoj: 6 hex digits with a class");
  c.appliances[0].eoj = 0x1000000;
  CHECK(reason(c) == "appliance 0: eoj: 6 hex digits with a class");
  c = good;
  c.appliances[0].label = std::string(49, 'x');
  CHECK(reason(c) == "appliance 0: label: at most 48 bytes");
  c = good;
  c.appliances[0].node = std::string(65, 'x');
  CHECK(reason(c) == "appliance 0: node: at most 64 bytes");
  c = good;
  c.appliances.clear();
  for (std::uint16_t i = 1; i <= 33; ++i) c.appliances.push_back(appliance(i));
  CHECK(reason(c) == "appliance: at most 32");
}

TEST_CASE("which changes of an appliance make earlier readings meaningless") {
  const auto a = appliance(1);
  auto b = a;
  b.label = "other";
  b.power_w_max = 5;
  CHECK_FALSE(means_other(a, b));
  b = a;
  b.node = "x";
  CHECK(means_other(a, b));
  b = a;
  b.eoj = 0x060300;
  CHECK(means_other(a, b));
  b = a;
  b.on_rule = wire::on_rule_kind::sensor_state;
  CHECK(means_other(a, b));
  b = a;
  b.watts_above = 7;
  CHECK(means_other(a, b));
}
