// Goal: a press is durable before anything else is said of it, goes on until the guard centre has it, is never called
// delivered before, and survives restarts, a failing disk, a dead lane and answers in any order.
#include "firmware/core/emergency.hpp"

#include "firmware/ports/memory_emergency_store.hpp"
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

using enum panel_word;
constexpr emergency_settings settings{};
constexpr std::chrono::microseconds exact_store{700}, exact_panel{900};

template <class M>
std::vector<M> all_of(const emergency_output& o) {
  std::vector<M> out;
  for (const auto& m : o.to_lane)
    if (const auto* p = std::get_if<M>(&m)) out.push_back(*p);
  return out;
}
std::vector<wire::press> presses_of(const emergency_output& o) { return all_of<wire::press>(o); }

struct bench {
  memory_emergency medium;
  memory_emergency_store store{medium};
  std::optional<emergency> core;
  std::uint64_t seed = 1;
  mono_time now = mono_from_ms(1'000'000);
  emergency_output out;                     // since the last look()
  std::vector<wire::press_report> reports;  // all
  std::vector<panel_view> shown;

  bench() { start(); }
  void start() {
    core.emplace(store, settings, seed++, null_log());
    take([&](emergency_output& o) { core->on_start(now, o); });
  }
  template <class F>
  void take(F f) {
    emergency_output o;
    f(o);
    core->on_stored(now + exact_store);
    core->on_shown(now + exact_panel, o);
    out.to_lane.insert(out.to_lane.end(), o.to_lane.begin(), o.to_lane.end());
    for (const auto& m : o.to_lane)
      if (const auto* r = std::get_if<wire::press_report>(&m)) reports.push_back(*r);
    out.to_direct.insert(out.to_direct.end(), o.to_direct.begin(), o.to_direct.end());
    out.stop_direct.insert(out.stop_direct.end(), o.stop_direct.begin(), o.stop_direct.end());
    out.redial = out.redial || o.redial;
    out.buttons_loaded = out.buttons_loaded || o.buttons_loaded;
    if (o.panel) shown.push_back(*o.panel);
  }
  emergency_output look() { return std::exchange(out, {}); }
  press_id press(press_source source = press_source::button) {
    press_id id{};
    take([&](emergency_output& o) { id = core->on_press(now, wall_from_ms(5), source, "fe/000301", o); });
    return id;
  }
  void lane_up() { take([&](emergency_output& o) { core->on_lane_up(now, o); }); }
  void stage(press_id id, press_stage s) { take([&](emergency_output& o) { core->on_stage(now, id, s, o); }); }
  void direct(press_id id) { take([&](emergency_output& o) { core->on_direct_accepted(now, id, o); }); }
  void pass(millis time) {
    const mono_time end = now + time;
    while (core->next_wake() <= end) {
      now = std::max(now, core->next_wake());
      take([&](emergency_output& o) { core->on_wake(now, o); });
      REQUIRE(core->next_wake() > now);
    }
    now = end;
  }
  panel_word word() const { return core->panel().word; }
};

}  // namespace

TEST_CASE("the way of a press: durable, calling, received, accepted, forgotten") {
  bench b;
  b.lane_up();
  CHECK(b.word() == idle);
  const press_id id = b.press();
  REQUIRE(id != press_id{});
  REQUIRE(b.medium.durable.open.size() == 1);
  CHECK(b.medium.durable.open[0].occurred == wall_from_ms(5));
  const auto said = presses_of(b.look());
  REQUIRE(said.size() == 1);
  CHECK((said[0] == wire::press{.id = id, .source = press_source::button, .button = "fe/000301", .occurred = wall_from_ms(5),
                                .age_ms = 0, .request = {}}));
  CHECK(b.word() == calling);
  b.stage(id, press_stage::received);
  CHECK(b.word() == received);
  CHECK(b.medium.durable.open[0].stage == press_stage::received);
  b.pass(1s);
  b.stage(id, press_stage::accepted);
  CHECK(b.word() == accepted);
  CHECK(b.medium.durable.open[0].stage == press_stage::accepted);
  b.stage(id, press_stage::closed);
  CHECK(b.medium.durable.open[0].stage == press_stage::closed);
  b.pass(shown_after - 1ms);
  CHECK(b.word() == accepted);
  b.pass(1ms);
  CHECK(b.word() == idle);
  CHECK(b.medium.durable.open.empty());
  CHECK(b.look().to_direct.empty());
  CHECK(b.core->next_wake() == never);
}

TEST_CASE("no answer of the centre: the direct path, then not delivered, and it goes on") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  b.stage(id, press_stage::received);
  b.look();
  b.pass(settings.direct_after - 1ms);
  CHECK(b.look().to_direct.empty());
  b.pass(1ms);
  const auto said = b.look();
  REQUIRE(said.to_direct.size() == 1);
  CHECK(said.to_direct[0].id == id);
  b.pass(settings.undelivered_after - settings.direct_after - 1ms);
  CHECK(b.word() == received);
  b.pass(1ms);
  CHECK(b.word() == not_delivered);
  b.pass(24h);
  CHECK(b.word() == not_delivered);
  CHECK(b.look().to_direct.empty());  // it was started once, and goes on by itself
  b.direct(id);
  CHECK(b.word() == accepted);
  CHECK(b.look().stop_direct == std::vector<press_id>{id});
}

TEST_CASE("the lane is down: sent when it is up again; it does not answer: dialled anew, sent again") {
  bench b;
  const press_id id = b.press();
  CHECK(b.look().to_lane.empty());
  b.pass(2s);
  b.lane_up();
  const auto late = presses_of(b.look());
  REQUIRE(late.size() == 1);
  CHECK(late[0].age_ms == 2'000);
  b.pass(lane_answer_max - 1ms);
  CHECK_FALSE(b.look().redial);
  b.pass(1ms);
  CHECK(b.look().redial);
  b.core->on_lane_down();
  b.pass(1s);
  b.lane_up();
  CHECK(presses_of(b.look()).size() == 1);
  b.stage(id, press_stage::received);
  b.pass(1h);
  CHECK_FALSE(b.look().redial);
  b.core->on_lane_down();
  b.lane_up();
  // The relay has it, but it may have lost its own lane to us: it answers with what it knows.
  CHECK(presses_of(b.look()).size() == 1);
}

TEST_CASE("stages only go forward; of a press that is not open they change nothing") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  b.stage(id, press_stage::accepted);
  b.stage(id, press_stage::received);
  b.stage(id, press_stage::calling);
  b.direct(id);
  CHECK(b.word() == accepted);
  CHECK(b.look().stop_direct.empty());
  b.stage(press_id{std::to_underlying(id) + 1}, press_stage::accepted);
  CHECK(b.core->open() == 1);
}

TEST_CASE("a disk that fails does not silence a button; the panel says so, and the press is saved when it can be") {
  bench b;
  b.lane_up();
  b.medium.fail_from = 1;
  b.medium.fail_count = 5;
  const press_id id = b.press();
  CHECK(presses_of(b.look()).size() == 1);
  CHECK(b.core->panel().not_saved);
  CHECK(b.word() == calling);
  b.pass(4s);
  CHECK(b.core->panel().not_saved);
  b.pass(1s);
  CHECK_FALSE(b.core->panel().not_saved);
  CHECK(b.medium.durable.open.size() == 1);
  b.stage(id, press_stage::accepted);
  b.medium.fail_from = b.medium.writes + 1;
  b.medium.fail_count = 3;
  b.stage(id, press_stage::closed);
  b.pass(shown_after + 10s);
  CHECK(b.medium.durable.open.empty());
}

TEST_CASE("a restart at any place: an open press goes on, an accepted one stays accepted, none has the id of another") {
  bench b;
  b.lane_up();
  const press_id first = b.press();
  b.stage(first, press_stage::received);
  b.start();
  CHECK(b.word() == received);
  b.look();
  b.lane_up();
  REQUIRE(presses_of(b.look()).size() == 1);
  b.pass(settings.direct_after);
  CHECK(b.look().to_direct.size() == 1);
  b.stage(first, press_stage::accepted);
  b.start();
  CHECK(b.word() == accepted);
  b.lane_up();
  CHECK(presses_of(b.look()).empty());
  CHECK(b.press() != first);
}

TEST_CASE("a store that cannot be read: told, a press goes its way, and what it holds joins in when it can be read") {
  bench b;
  const press_id held = b.press();
  b.core->save_button({"fe/000301", true});
  b.medium.loads_fail = true;
  b.start();
  CHECK(b.core->panel().not_saved);
  CHECK_FALSE(b.core->loaded());
  b.lane_up();
  const press_id id = b.press();
  CHECK(id != press_id{});
  CHECK(presses_of(b.look()).size() == 1);
  b.stage(id, press_stage::accepted);
  b.pass(5s);
  CHECK(b.core->open() == 1);
  b.medium.loads_fail = false;
  b.pass(put_retry);
  CHECK(b.core->loaded());
  CHECK(b.look().buttons_loaded);
  CHECK(b.core->buttons().size() == 1);
  CHECK_FALSE(b.core->panel().not_saved);
  REQUIRE(b.core->open() == 2);
  CHECK(b.word() == calling);
  b.core->on_lane_down();
  b.lane_up();
  const auto sent = presses_of(b.look());
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].id == held);
}

TEST_CASE("a drill is marked and ends by itself; a real press beside it is real") {
  bench b;
  b.lane_up();
  b.press(press_source::drill);
  CHECK(presses_of(b.look())[0].source == press_source::drill);
  CHECK(b.medium.durable.open[0].test);
  CHECK(b.core->panel().test);
  const press_id real = b.press(press_source::box);
  CHECK_FALSE(b.medium.durable.open[1].test);
  CHECK_FALSE(b.core->panel().test);
  b.pass(drill_max);
  CHECK(b.core->open() == 1);
  CHECK(b.look().stop_direct.size() == 1);  // the drill's
  CHECK(b.word() == not_delivered);
  b.stage(real, press_stage::accepted);
  CHECK(b.word() == accepted);
}

TEST_CASE("more presses than can be open: the others are told as not delivered") {
  bench b;
  for (std::size_t i = 0; i < presses_max; ++i) REQUIRE(b.press() != press_id{});
  CHECK(b.word() == calling);
  CHECK(b.press() == press_id{});
  CHECK(b.word() == not_delivered);
  b.lane_up();
  for (const auto& p : presses_of(b.look())) b.stage(p.id, press_stage::accepted);
  CHECK(b.word() == not_delivered);
  b.pass(shown_after);
  CHECK(b.word() == idle);
}

TEST_CASE("what is known of the buttons is there after a restart") {
  bench b;
  b.core->save_button({"a", true});
  b.core->save_button({"b", false});
  b.core->save_button({"a", false});
  b.start();
  CHECK(b.core->buttons() == std::vector<known_button>{{"b", false}, {"a", false}});
}

// A relay and a centre that answer late, twice, never or for others; a lane and a disk that come and go; restarts.
TEST_CASE("whatever happens: nothing is called delivered that is not, nothing that is durable is forgotten, and quiet delivers all") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    bench b;
    std::map<press_id, press_stage> real;   // what relay and centre really have
    std::set<press_id> pressed, accepted_shown;
    bool up = false;
    const auto hear = [&] {
      for (const auto& p : presses_of(b.look())) {
        if (up) real.try_emplace(p.id, press_stage::received);
      }
    };
    const auto check = [&] {
      for (const press& p : b.medium.durable.open) {
        if (p.stage >= press_stage::accepted) REQUIRE((real.contains(p.id) && real.at(p.id) == press_stage::accepted));
        if (p.stage >= press_stage::accepted) accepted_shown.insert(p.id);
      }
      if (b.word() == accepted) REQUIRE(std::ranges::any_of(real, [](const auto& r) { return r.second == press_stage::accepted; }));
    };
    for (int step = 0; step < 120; ++step) {
      b.pass(millis{random.below(8'000)});
      switch (random.below(8)) {
        case 0:
          if (const press_id id = b.press(); id != press_id{}) pressed.insert(id);
          break;
        case 1: up = true; b.lane_up(); break;
        case 2: up = false; b.core->on_lane_down(); break;
        case 3:
        case 4:
          if (up && !real.empty()) {
            auto at = real.begin();
            std::advance(at, static_cast<std::ptrdiff_t>(random.below(real.size())));
            if (random.chance(400)) at->second = press_stage::accepted;
            b.stage(at->first, at->second);
          }
          break;
        case 5: b.stage(press_id{random.next()}, press_stage::accepted); break;
        case 6:
          b.medium.fail_from = b.medium.writes + 1;
          b.medium.fail_count = random.below(6);
          break;
        default:
          hear();
          up = false;
          std::set<press_id> durable;
          for (const press& p : b.medium.durable.open) durable.insert(p.id);
          // What was neither durable nor sent when the power went is not to be expected.
          std::erase_if(pressed, [&](press_id id) { return !durable.contains(id) && !real.contains(id); });
          b.start();
          break;
      }
      hear();
      check();
    }
    // Quiet: everything works, every answer comes.
    b.medium.fail_count = 0;
    b.pass(put_retry);
    up = true;
    b.lane_up();
    hear();
    for (auto& [id, stage] : real) {
      stage = press_stage::accepted;
      b.stage(id, stage);
    }
    check();
    for (const auto& [id, stage] : real) b.stage(id, press_stage::closed);
    for (const press_id id : pressed) CHECK(real.contains(id));
    b.pass(shown_after);
    CHECK(b.medium.durable.open.empty());
    CHECK(b.word() == idle);
  }
}

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

TEST_CASE("a line of many seconds gets its answer in the end: each unanswered time the next is longer") {
  bench b;
  b.lane_up();
  const press_id id = b.press();
  millis last{0};
  for (const millis wait : {3'000ms, 6'000ms, 12'000ms, 24'000ms, 24'000ms}) {
    b.look();
    b.pass(wait - 1ms);
    CHECK_FALSE(b.look().redial);
    b.pass(1ms);
    CHECK(b.look().redial);
    b.core->on_lane_down();
    b.lane_up();
    last = wait;
  }
  b.stage(id, press_stage::received);
  b.press();
  b.pass(lane_answer_max);
  CHECK(b.look().redial);
}
