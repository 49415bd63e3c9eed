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

struct bench {
  memory_emergency medium;
  memory_emergency_store store{medium};
  std::optional<emergency> core;
  std::uint64_t seed = 1;
  mono_time now = mono_from_ms(1'000'000);
  emergency_output out;                     // since the last look()
  std::vector<panel_view> shown;

  bench() { start(); }
  void start() {
    core.emplace(store, settings, seed++, null_log());
    take([&](emergency_output& o) { REQUIRE(core->on_start(now, o).has_value()); });
  }
  template <class F>
  void take(F f) {
    emergency_output o;
    f(o);
    out.to_lane.insert(out.to_lane.end(), o.to_lane.begin(), o.to_lane.end());
    out.to_direct.insert(out.to_direct.end(), o.to_direct.begin(), o.to_direct.end());
    out.stop_direct.insert(out.stop_direct.end(), o.stop_direct.begin(), o.stop_direct.end());
    out.redial = out.redial || o.redial;
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
  const auto said = b.look();
  REQUIRE(said.to_lane.size() == 1);
  CHECK(said.to_lane[0] == b.medium.durable.open[0]);
  CHECK(b.word() == calling);
  b.stage(id, press_stage::received);
  CHECK(b.word() == received);
  CHECK(b.medium.durable.open[0].stage == press_stage::received);
  b.pass(1s);
  b.stage(id, press_stage::accepted);
  CHECK(b.word() == accepted);
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
  CHECK(b.look().to_lane.size() == 1);
  b.pass(lane_answer_max - 1ms);
  CHECK_FALSE(b.look().redial);
  b.pass(1ms);
  CHECK(b.look().redial);
  b.core->on_lane_down();
  b.pass(1s);
  b.lane_up();
  CHECK(b.look().to_lane.size() == 1);
  b.stage(id, press_stage::received);
  b.pass(1h);
  CHECK_FALSE(b.look().redial);
  b.core->on_lane_down();
  b.lane_up();
  const auto again = b.look();  // the relay has it, but it may have lost its own lane to us: it answers with what it knows
  REQUIRE(again.to_lane.size() == 1);
  CHECK(again.to_lane[0].stage == press_stage::received);
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
  CHECK(b.look().to_lane.size() == 1);
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
  REQUIRE(b.look().to_lane.size() == 1);
  b.pass(settings.direct_after);
  CHECK(b.look().to_direct.size() == 1);
  b.stage(first, press_stage::accepted);
  b.start();
  CHECK(b.word() == accepted);
  b.lane_up();
  CHECK(b.look().to_lane.empty());
  CHECK(b.press() != first);
}

TEST_CASE("a store that cannot be read: told, and a press goes its way") {
  bench b;
  b.medium.loads_fail = true;
  b.core.emplace(b.store, settings, 9, null_log());
  emergency_output o;
  CHECK_FALSE(b.core->on_start(b.now, o).has_value());
  b.lane_up();
  CHECK(b.press() != press_id{});
  CHECK(b.look().to_lane.size() == 1);
}

TEST_CASE("a drill is marked and ends by itself; a real press beside it is real") {
  bench b;
  b.lane_up();
  b.press(press_source::drill);
  CHECK(b.look().to_lane[0].test);
  CHECK(b.core->panel().test);
  const press_id real = b.press(press_source::box);
  CHECK_FALSE(b.look().to_lane[0].test);
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
  for (const press& p : b.look().to_lane) b.stage(p.id, press_stage::accepted);
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
      for (const press& p : b.look().to_lane) {
        if (up) real.try_emplace(p.id, press_stage::received);
      }
    };
    const auto check = [&] {
      for (const press& p : b.medium.durable.open) {
        if (p.stage == press_stage::accepted) REQUIRE((real.contains(p.id) && real.at(p.id) == press_stage::accepted));
        if (p.stage == press_stage::accepted) accepted_shown.insert(p.id);
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
    for (const press_id id : pressed) CHECK(real.contains(id));
    b.pass(shown_after);
    CHECK(b.medium.durable.open.empty());
    CHECK(b.word() == idle);
  }
}
