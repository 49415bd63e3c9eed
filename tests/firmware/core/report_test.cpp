// Goal: what became of a press, drills and troubles are reported to the relay as they are: by one clock, until it has them, each once.
#include "tests/firmware/core/emergency_bench.hpp"

using namespace tomoshibi;
using namespace tomoshibi::firmware;
using enum panel_word;
using bench = emergency_bench;

TEST_CASE("the report: times of one clock, sent when it is shown, again with every lane until it is closed, then forgotten") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  b.pass(20ms);
  b.stage(id, press_stage::received);
  b.pass(30ms);
  CHECK(b.reports.empty());
  b.stage(id, press_stage::accepted);
  REQUIRE(b.reports.size() == 1);
  const wire::press_report wanted{.id = id, .source = press_source::button, .button = "fe/000301", .occurred = wall_from_ms(5),
                                  .path = press_path::relay, .was_undelivered = false, .interrupted = false,
                                  .times = {.durable_us = 700, .received_us = 20'000, .accepted_us = 50'000, .shown_us = 50'900},
                                  .request = {}};
  CHECK((b.reports[0] == wanted));
  b.core->on_lane_down();
  b.pass(shown_after + 1h);
  CHECK(b.word() == idle);
  CHECK(b.medium.durable.open.size() == 1);
  b.lane_up();
  REQUIRE(b.reports.size() == 2);
  CHECK((b.reports[1] == wanted));
  b.stage(id, press_stage::closed);
  b.pass(1ms);
  CHECK(b.medium.durable.open.empty());
  b.core->on_lane_down();
  b.lane_up();
  CHECK(b.reports.size() == 2);
}

TEST_CASE("a report that nobody takes is given up after a week, and never holds a place that a press needs") {
  bench b;
  const press_id first = b.press();
  b.direct(first);
  b.pass(report_kept - 1ms);
  CHECK(b.core->open() == 1);
  b.pass(1ms);
  CHECK(b.core->open() == 0);
  CHECK(b.medium.durable.open.empty());
  for (std::size_t i = 0; i < presses_max; ++i) b.direct(b.press());
  CHECK(b.core->open() == presses_max);
  const press_id one_more = b.press();
  CHECK(one_more != press_id{});
  CHECK(b.core->open() == presses_max);
  CHECK(std::ranges::count(b.medium.durable.open, one_more, &press::id) == 1);
}

TEST_CASE("a drill gives way to a press, a press never to a drill") {
  bench b;
  for (std::size_t i = 0; i + 1 < presses_max; ++i) b.press();
  CHECK(b.press(press_source::drill) != press_id{});
  CHECK(b.press() != press_id{});
  CHECK(b.core->open() == presses_max);
  CHECK(b.press(press_source::drill) == press_id{});
  CHECK(b.word() == calling);
}

TEST_CASE("a restart in between: the report says so, has no times after it, and is sent until it is closed") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  SECTION("before it was accepted") {
    b.start();
    b.lane_up();
    b.pass(1s);
    b.stage(id, press_stage::received);
    b.stage(id, press_stage::accepted);
  }
  SECTION("after it was accepted") {
    b.stage(id, press_stage::accepted);
    b.reports.clear();
    b.start();
    b.lane_up();
  }
  REQUIRE(b.reports.size() == 1);
  CHECK(b.reports[0].interrupted);
  CHECK(b.reports[0].path == press_path::relay);
  CHECK((b.reports[0].times == wire::press_times{}));
  b.stage(id, press_stage::closed);
  b.start();
  b.lane_up();
  CHECK(b.reports.size() == 1);
}

TEST_CASE("a closed that is not the answer to a report changes nothing") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  b.stage(id, press_stage::closed);
  CHECK(b.word() == calling);
  CHECK(b.medium.durable.open[0].stage == press_stage::calling);
  b.core->on_lane_down();
  b.direct(id);
  b.stage(id, press_stage::closed);   // nothing was reported: there is no lane
  CHECK(b.medium.durable.open[0].stage == press_stage::accepted);
  b.stage(press_id{std::to_underlying(id) ^ 1}, press_stage::accepted);
  b.stage(press_id{std::to_underlying(id) ^ 1}, press_stage::closed);
  CHECK(b.core->open() == 1);
  CHECK(b.core->counts().unknown_news == 2);
}

TEST_CASE("not delivered is reported when it is shown, and with every lane, and stays so over a restart") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  b.pass(settings.undelivered_after);
  REQUIRE(b.reports.size() == 1);
  CHECK(b.reports[0].path == press_path::none);
  CHECK(b.reports[0].was_undelivered);
  b.start();
  CHECK(b.word() == not_delivered);
  b.lane_up();
  CHECK(b.reports.size() == 2);
  b.direct(id);
  REQUIRE(b.reports.size() == 3);
  CHECK(b.reports[2].path == press_path::direct);
  CHECK(b.reports[2].was_undelivered);
}

TEST_CASE("what is not on the panel has no time of being shown") {
  bench b;
  b.lane_up();
  const press_id first = b.press();
  b.press();
  b.stage(first, press_stage::accepted);
  REQUIRE(b.reports.size() == 1);
  CHECK(b.word() == calling);
  CHECK_FALSE(b.reports[0].times.shown_us);
}

TEST_CASE("a drill asked for by the relay carries the request; the same request makes no second one; few are open at a time") {
  bench b;
  b.lane_up();
  const auto drill = [&b](std::uint64_t request) {
    press_id id{};
    b.take([&](emergency_output& o) { id = b.core->on_drill(b.now, {}, request, o); });
    return id;
  };
  const press_id id = drill(77);
  auto sent = presses_of(b.look());
  REQUIRE(sent.size() == 1);
  CHECK((sent[0] == wire::press{.id = id, .source = press_source::drill, .button = "", .occurred = {}, .age_ms = 0, .request = 77}));
  CHECK(drill(77) == id);
  CHECK(b.core->open() == 1);
  for (std::uint64_t i = 1; i < drills_max; ++i) CHECK(drill(100 + i) != press_id{});
  CHECK(drill(200) == press_id{});
  b.stage(id, press_stage::accepted);
  REQUIRE(b.reports.size() == 1);
  CHECK(b.reports[0].request == 77);
  CHECK(drill(77) == id);              // still to be reported
  b.stage(id, press_stage::closed);
  b.start();
  CHECK(b.medium.durable.open[0].request == 77);
}

TEST_CASE("troubles are told whole at each change and with every lane") {
  bench b;
  const auto set = [&b](trouble_kind kind, std::string_view button, bool on) {
    b.take([&](emergency_output& o) { b.core->set_trouble(kind, button, on, o); });
  };
  set(trouble_kind::button_silent, "a", true);
  CHECK(b.look().to_lane.empty());
  b.lane_up();
  auto told = all_of<wire::box_state>(b.look());
  REQUIRE(told.size() == 1);
  CHECK((told[0] == wire::box_state{{{trouble_kind::button_silent, "a"}}}));
  set(trouble_kind::mains_lost, "", true);
  set(trouble_kind::mains_lost, "", true);
  told = all_of<wire::box_state>(b.look());
  REQUIRE(told.size() == 1);
  CHECK((told[0] == wire::box_state{{{trouble_kind::mains_lost, ""}, {trouble_kind::button_silent, "a"}}}));
  for (int i = 0; i < 200; ++i) set(trouble_kind::button_stuck, std::string(60, 'x') + std::to_string(i), true);
  b.look();
  set(trouble_kind::battery_low, "", true);
  told = all_of<wire::box_state>(b.look());
  REQUIRE(told.size() == 1);
  CHECK(told[0].troubles.size() < wire::troubles_max);
  CHECK((told[0].troubles[0] == wire::trouble{trouble_kind::battery_low, ""}));
  CHECK(wire::encode_frame(told[0]));
}

TEST_CASE("a disk that fails is a trouble, and its end is told") {
  bench b;
  b.lane_up();
  b.look();
  b.medium.fail_from = 1;
  b.medium.fail_count = 2;
  b.press();
  auto told = all_of<wire::box_state>(b.look());
  REQUIRE(told.size() == 1);
  CHECK((told[0] == wire::box_state{{{trouble_kind::press_not_saved, ""}}}));
  b.pass(5s);
  told = all_of<wire::box_state>(b.look());
  REQUIRE(told.size() == 1);
  CHECK(told[0].troubles.empty());
}
