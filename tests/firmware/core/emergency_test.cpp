// Goal: a press is durable before anything else is said of it, goes on until the guard centre has it, is never called
// delivered before, and survives restarts, a failing disk, a dead lane and answers in any order.
#include "tests/firmware/core/emergency_bench.hpp"

#include "protocol/base/prng.hpp"

#include <map>
#include <set>

using namespace tomoshibi;
using namespace tomoshibi::firmware;
using enum panel_word;
using bench = emergency_bench;

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
