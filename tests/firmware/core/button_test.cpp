// Goal: each press is told once and at once; bouncing, held, stuck, silent and strangely starting buttons have the answers of ADR 12.
#include "firmware/core/button.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <utility>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

using enum button_heard;
using enum button_news;
using news = std::vector<button_news>;

struct bench {
  mono_time now = mono_from_ms(1'000'000);
  millis period{3'600'000};
  button b;

  explicit bench(std::optional<bool> last_known = false, millis p = 3'600'000ms) : period(p), b(now, p, last_known) {}
  news state(bool pressed, button_heard how) {
    news out;
    b.on_state(now, pressed, how, out);
    CHECK(out.size() <= button_news_max);
    return out;
  }
  // Every wake on the way.
  news pass(millis time) {
    news out;
    const mono_time end = now + time;
    while (b.next_wake() <= end) {
      now = std::max(now, b.next_wake());
      const mono_time before = b.next_wake();
      b.on_wake(now, out);
      REQUIRE(b.next_wake() > before);
    }
    now = end;
    return out;
  }
};

}  // namespace

TEST_CASE("a press is told at once, found or announced, and each time after a release") {
  for (const button_heard how : {found, announced}) {
    bench t;
    CHECK(t.state(true, how) == news{press});
    CHECK(t.state(true, found).empty());
    t.pass(20s);
    CHECK(t.state(false, how).empty());
    t.pass(20s);
    CHECK(t.state(true, how) == news{press});
  }
}

TEST_CASE("contacts bounce and datagrams come twice: one press") {
  bench t;
  CHECK(t.state(true, announced) == news{press});
  CHECK(t.state(true, announced).empty());
  t.pass(100ms);
  CHECK(t.state(false, announced).empty());
  t.pass(100ms);
  CHECK(t.state(true, announced).empty());
  CHECK(t.b.last_known() == true);
  t.state(false, announced);
  t.pass(bounce_max - 200ms - 1ms);
  CHECK(t.state(true, announced).empty());
  t.state(false, announced);
  t.pass(1ms);
  CHECK(t.state(true, announced) == news{press});
}

TEST_CASE("pressed again without a release in between: heard again after a minute") {
  bench t;
  CHECK(t.state(true, announced) == news{press});
  t.pass(again_after - 1ms);
  CHECK(t.state(true, announced).empty());
  t.pass(1ms);
  CHECK(t.state(true, announced) == news{press});
  CHECK(t.state(true, found).empty());  // asking a button that is held is no press
}

TEST_CASE("the first thing heard: announced it is a press, found pressed it is trouble, unless it was known released") {
  bench fresh{std::nullopt};
  CHECK(fresh.state(true, announced) == news{press});

  bench starts_pressed{std::nullopt};
  CHECK(starts_pressed.state(true, found) == news{stuck});
  CHECK(starts_pressed.b.stuck());
  CHECK(starts_pressed.state(true, found).empty());
  CHECK(starts_pressed.state(true, announced) == news{press});
  CHECK(starts_pressed.state(false, found) == news{stuck_over});
  starts_pressed.pass(bounce_max);
  CHECK(starts_pressed.state(true, found) == news{press});

  bench latched_during_a_power_cut{false};
  CHECK(latched_during_a_power_cut.state(true, found) == news{press});

  bench told_before_the_cut{true};
  CHECK(told_before_the_cut.state(true, found).empty());
  CHECK(told_before_the_cut.pass(stuck_after) == news{stuck});
}

TEST_CASE("held for ten minutes it is stuck, once, until it is released; it can still call") {
  bench t;
  t.state(true, announced);
  CHECK(t.pass(stuck_after - 1ms).empty());
  CHECK(t.pass(1ms) == news{stuck});
  CHECK(t.state(true, found).empty());
  CHECK(t.state(true, announced) == news{press});
  CHECK(t.state(true, announced).empty());
  CHECK(t.pass(stuck_after).empty());
  CHECK(t.state(true, announced) == news{press});
  CHECK(t.state(false, found) == news{stuck_over});
  CHECK_FALSE(t.b.stuck());
}

TEST_CASE("unheard for its period it is silent, once, until it is heard; a press ends the silence, too") {
  bench t;
  CHECK(t.pass(t.period - 1ms).empty());
  CHECK(t.pass(1ms) == news{silent});
  CHECK(t.pass(t.period * 3).empty());
  CHECK(t.state(true, announced) == news{silent_over, press});
  t.state(false, announced);
  news out;
  t.pass(t.period);
  CHECK(t.b.silent());
  t.b.on_alive(t.now, out);
  CHECK(out == news{silent_over});
}

TEST_CASE("a button without a period is not supervised") {
  bench t{false, 0ms};
  CHECK(t.b.next_wake() == never);
  CHECK(t.pass(24h * 30).empty());
}

TEST_CASE("what is saved: pressed or released, once it is known") {
  bench t{std::nullopt};
  CHECK_FALSE(t.b.last_known().has_value());
  t.state(false, found);
  CHECK(t.b.last_known() == false);
  t.state(true, announced);
  CHECK(t.b.last_known() == true);
}

TEST_CASE("whatever comes: a press after a rest is always told, and troubles begin and end in turn") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    bench t{random.chance(300) ? std::nullopt : std::optional{random.chance(500)}, millis{random.below(3) * 600'000}};
    bool is_stuck = false, is_silent = false;
    const auto follow = [&](const news& all) {
      for (const button_news n : all) {
        if (n == stuck || n == stuck_over) CHECK(std::exchange(is_stuck, n == stuck) == (n == stuck_over));
        if (n == silent || n == silent_over) CHECK(std::exchange(is_silent, n == silent) == (n == silent_over));
      }
    };
    for (int step = 0; step < 200; ++step) {
      follow(t.pass(millis{random.below(random.chance(100) ? 2'000'000 : 5'000)}));
      if (random.chance(300)) {
        follow(t.state(false, random.chance(500) ? found : announced));
        follow(t.pass(bounce_max));
        const news told = t.state(true, random.chance(500) ? found : announced);
        follow(told);
        CHECK(std::count(told.begin(), told.end(), press) == 1);
      } else {
        follow(t.state(random.chance(500), random.chance(500) ? found : announced));
      }
      CHECK(t.b.stuck() == is_stuck);
      CHECK(t.b.silent() == is_silent);
    }
  }
}
