// Goal: a line is down exactly after 90 s of silence, since it was last heard; a relay that was away does not blame the lines.
#include "tests/relay/core/relay_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

std::vector<line_write> lines_of(const relay_bench& b, const std::string& name) {
  std::vector<line_write> out;
  for (const auto& [key, w] : b.store.lines())
    if (key.first == box(name)) out.push_back(w);
  return out;
}

}  // namespace

TEST_CASE("down at 90 s and not a millisecond before; up with the next word") {
  relay_bench b;
  b.add_home(1);
  b.start();
  session_id s = b.connect_live("box-1");
  const wall_at came = b.wall();
  b.run_for(60s);
  b.from(s, wire::ping{1});
  const wall_at heard = b.wall();
  b.run_for(90s - 1ms);
  CHECK(b.core->line_up(box("box-1")));
  b.run_for(1ms);
  CHECK_FALSE(b.core->line_up(box("box-1")));
  auto lines = lines_of(b, "box-1");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].state == line::up);
  CHECK(lines[0].since == came);
  CHECK(lines[1].state == line::down);
  CHECK(lines[1].since == heard);
  CHECK(lines[1].known == heard + 90s);
  CHECK(b.core->health().gateways_down == 1);

  b.run_for(5s);
  b.from(s, wire::ping{2});
  CHECK(b.core->line_up(box("box-1")));
  lines = lines_of(b, "box-1");
  REQUIRE(lines.size() == 3);
  CHECK(lines[2].since == b.wall());
  CHECK(b.core->health().gateways_down == 0);
  CHECK(b.core->health().gateways_up == 1);
}

TEST_CASE("a connection that closes is not a line that is down yet, one that comes back in time never was") {
  relay_bench b;
  b.add_home(1);
  b.start();
  b.hang_up(b.connect_live("box-1"));
  b.run_for(80s);
  CHECK(b.core->line_up(box("box-1")));
  b.connect_live("box-1");
  b.run_for(80s);
  CHECK(b.core->line_up(box("box-1")));
  CHECK(lines_of(b, "box-1").size() == 1);
}

TEST_CASE("a gateway that was never heard has no line to lose") {
  relay_bench b;
  b.add_home(1);
  b.start();
  b.run_for(10min);
  CHECK(lines_of(b, "box-1").empty());
  CHECK(b.core->health().gateways_down == 1);
}

TEST_CASE("after a relay outage the lines have 90 s, and are then down since the relay last knew") {
  relay_bench b;
  b.add_home(1);
  b.add_home(2);
  b.start();
  const session_id one = b.connect_live("box-1");
  const session_id two = b.connect_live("box-2");
  for (int i = 0; i < 10; ++i) {
    b.run_for(30s);
    b.from(one, wire::ping{1});
    b.from(two, wire::ping{1});
  }
  const wall_at alive = b.store.load_alive().value().value();
  CHECK(b.wall() - alive <= b.limits.alive_every);
  b.cut();
  b.now += 5h;
  b.start();
  CHECK(b.core->health().gateways_down == 0);
  b.run_for(20s);
  b.connect_live("box-1");
  b.run_for(70s);
  CHECK(lines_of(b, "box-1").size() == 1);  // up all the time, as far as anybody knows
  const auto lines = lines_of(b, "box-2");
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].state == line::down);
  CHECK(lines[1].since == alive);
  CHECK(lines[1].known == b.wall());
}

TEST_CASE("a line that was down before the relay went away stays down since then") {
  relay_bench b;
  b.add_home(1);
  b.start();
  const session_id s = b.connect_live("box-1");
  b.run_for(1s);
  b.from(s, wire::ping{1});
  b.run_for(10min);
  const auto before = lines_of(b, "box-1");
  REQUIRE(before.size() == 2);
  b.cut();
  b.now += 5h;
  b.start();
  b.run_for(10min);
  CHECK(lines_of(b, "box-1").size() == 2);
  CHECK_FALSE(b.core->line_up(box("box-1")));
}

TEST_CASE("a revoked gateway is nobody") {
  relay_bench b;
  b.add_home(1);
  b.start();
  b.connect_live("box-1");
  b.store.edit_directory().gateways.at(box("box-1")).revoked = true;
  b.directory_changed();
  b.run_for(10min);
  CHECK(lines_of(b, "box-1").size() == 1);
  CHECK(b.core->health().gateways == 0);
  CHECK(b.core->health().gateways_up + b.core->health().gateways_down == 0);
}
