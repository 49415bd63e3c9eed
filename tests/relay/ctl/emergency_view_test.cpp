// Goal: what an operator reads of presses says what happened, in text and as JSON, and calls nothing delivered that is not.
#include "relay/ctl/emergency_view.hpp"
#include "relay/ctl/emergency_wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace tomoshibi::relay::test {
namespace {

const wall_at noon = wall_from_ms(1'800'000'000'000);

press_row delivered() {
  press_row p;
  p.id = press_id{0x1f};
  p.home = home_id{1};
  p.gateway = *gateway_id::parse("box-1");
  p.known = noon;
  p.occurred = noon - 5ms;
  p.stage = press_stage::accepted;
  p.reported_path = decltype(p.path)::relay;
  p.accepted = noon + 35ms;
  p.reported = p.closed = noon + 50ms;
  p.durable_us = 900;
  p.received_us = 5'000;
  p.accepted_us = 40'000;
  p.shown_us = 1'240'100;
  return p;
}

press_row lost() {
  press_row p = delivered();
  p.id = press_id{0x2f};
  p.stage = press_stage::received;
  p.accepted.reset(), p.reported.reset(), p.closed.reset();
  p.durable_us.reset(), p.received_us.reset(), p.accepted_us.reset(), p.shown_us.reset();
  return p;
}

directory one_home() {
  directory d;
  d.homes[home_id{1}] = {.id = home_id{1}, .name = "田中", .zone_min = 540, .watch_mode = false, .watch_since = {}};
  return d;
}

const ctl::report_range range{noon - 24h, noon + 24h, false};

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("a drill is followed until the box has told what it shows") {
  drill_row drill{.request = 7, .home = home_id{1}, .press = press_id{0x1f}};
  CHECK_FALSE(ctl::drill_is_whole(drill, std::nullopt));
  press_row p = delivered();
  CHECK(ctl::drill_is_whole(drill, p));
  p.reported.reset();
  CHECK_FALSE(ctl::drill_is_whole(drill, p));
  drill.ended = noon + 40ms;                       // with the acknowledgement, before the report
  CHECK_FALSE(ctl::drill_is_whole(drill, p));
  CHECK(ctl::drill_is_whole(drill, lost()));       // ended by itself: nobody acknowledged it
  CHECK(ctl::drill_is_whole(drill, std::nullopt));
}

TEST_CASE("times are shown in the unit that suits them") {
  CHECK(ctl::format_us(0) == "0 us");
  CHECK(ctl::format_us(999) == "999 us");
  CHECK(ctl::format_us(1'000) == "1.0 ms");
  CHECK(ctl::format_us(999'999) == "999.9 ms");
  CHECK(ctl::format_us(30'000'000) == "30.000 s");
  CHECK(ctl::format_us(4'294'967'295) == "4294.967 s");
}

TEST_CASE("the report in words") {
  std::vector rows(300, delivered());
  auto text = ctl::report_as_text(make_report(rows, noon + 1h), one_home(), range, {});
  INFO(text);
  CHECK(has(text, "presses: 300\ndelivered 300, lost 0, open 0\n"));
  CHECK(has(text, "none of 300 lost; with 95 % certainty fewer than 1.0 % are (3/n)"));
  CHECK(has(text, "900 us"));
  CHECK(has(text, "1.240 s"));
  CHECK(has(text, "drills: 0\n"));
  rows.push_back(lost());
  text = ctl::report_as_text(make_report(rows, noon + 1h), one_home(), range, home_id{1});
  CHECK(has(text, "home 1  田中\n"));
  CHECK(has(text, "delivered 300, lost 1 (late 0, never 1), open 0"));
  CHECK(has(text, "1 of 301 lost"));
  CHECK(has(ctl::report_as_text(make_report({}, noon), one_home(), range, {}), "presses: 0\n"));
}

TEST_CASE("the report as JSON has every number") {
  std::vector rows(4, delivered());
  rows[3].test = true;
  const auto r = make_report(rows, noon + 1h);
  const auto j = nlohmann::json::parse(ctl::report_as_json(r, one_home(), range, {}));
  CHECK(j["all"]["presses"]["delivered"] == 3);
  CHECK(j["all"]["presses"]["loss_bound_95"] == 1.0);
  CHECK(j["all"]["drills"]["presses"] == 1);
  CHECK(j["all"]["drills"]["loss_bound_95"].is_null());
  CHECK(j["all"]["presses"]["hops"]["to_ack"]["p99_us"] == 40'000);
  CHECK(j["all"]["presses"]["hops"]["direct"]["n"] == 0);
  CHECK(j["homes"][0]["name"] == "田中");
  const auto other = nlohmann::json::parse(ctl::report_as_json(r, one_home(), range, home_id{9}));
  CHECK(other["homes"].empty());
}

TEST_CASE("one press: what is known of it, what the centre was told") {
  guard_event_row e;
  e.account = "0A12";
  e.sequence = 17;
  e.state = guard_event_state::delivered;
  e.ended = noon + 34ms;
  const std::vector events{e};
  const auto text = ctl::press_as_text(delivered(), events, one_home(), noon + 1h);
  INFO(text);
  CHECK(has(text, "press 000000000000001F\n"));
  CHECK(has(text, "the guard centre has it"));
  CHECK(has(text, "2027-01-15 16:59:59"));  // in the home's zone
  CHECK(has(text, "account 0A12, number 17: delivered"));
  CHECK(has(ctl::press_as_text(lost(), {}, one_home(), noon + 1h), "NOT DELIVERED"));
  CHECK_FALSE(has(ctl::press_as_text(lost(), {}, one_home(), noon + 1s), "has it"));
  auto interrupted = delivered();
  interrupted.interrupted = true;
  CHECK(has(ctl::press_as_text(interrupted, {}, one_home(), noon + 1h), "the box began anew"));
  const auto j = nlohmann::json::parse(ctl::press_as_json(delivered(), events, noon + 1h));
  CHECK(j["state"] == "delivered");
  CHECK(j["told"][0]["sequence"] == 17);
  const std::vector rows{delivered(), lost()};
  CHECK(nlohmann::json::parse(ctl::presses_as_json({rows.data() + 1, 1}, noon + 1h))["state"] == "never");
  CHECK(has(ctl::presses_as_text(rows, one_home(), noon + 1h), "000000000000002F"));
}

}  // namespace tomoshibi::relay::test
