// Goal: nothing is lost or told twice, ranks go in order, a home's things keep theirs, and between two things of one home every
// other home that waited had its turn.
#include "relay/core/emergency/turn_queue.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

std::vector<int> all_of(turn_queue<int>& queue) {
  std::vector<int> out;
  while (!queue.empty()) {
    out.push_back(queue.front().id);
    queue.pop();
  }
  return out;
}

}  // namespace

TEST_CASE("homes take turns, and each home's things go as they came") {
  turn_queue<int> queue;
  for (int id : {11, 12, 13}) queue.put(0, home_id{1}, id);
  for (int id : {21, 22}) queue.put(0, home_id{2}, id);
  queue.put(0, home_id{3}, 31);
  CHECK(all_of(queue) == std::vector{11, 21, 31, 12, 22, 13});
}

TEST_CASE("a rank goes before the next, whoever's it is") {
  turn_queue<int> queue;
  queue.put(1, home_id{1}, 1);
  queue.put(1, home_id{2}, 2);
  queue.put(0, home_id{2}, 3);
  CHECK(queue.front().rank == 0);
  CHECK(all_of(queue) == std::vector{3, 1, 2});
}

TEST_CASE("who comes late waits for one round, and not behind a heap") {
  turn_queue<int> queue;
  for (int id = 0; id < 60; ++id) queue.put(0, home_id{1}, id);
  queue.pop();
  queue.put(0, home_id{2}, 100);
  queue.put(0, home_id{1}, 60);                // and a home's newest does not overtake its older ones
  const auto order = all_of(queue);
  CHECK(std::ranges::find(order, 100) - order.begin() <= 1);
  CHECK(order.back() == 60);
}

TEST_CASE("what is removed or put twice") {
  turn_queue<int> queue;
  queue.put(0, home_id{1}, 1);
  queue.put(0, home_id{1}, 2);
  queue.put(0, home_id{1}, 1);
  queue.put(1, home_id{2}, 1);
  CHECK(queue.size() == 2);
  queue.remove(1);
  queue.remove(7);
  CHECK(all_of(queue) == std::vector{2});
  queue.put(0, home_id{1}, 1);
  queue.clear();
  CHECK(queue.empty());
  CHECK(queue.size() == 0);
}

TEST_CASE("any order of events") {
  struct thing {
    int id;
    std::uint32_t rank;
    std::uint32_t home;
  };
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed=" << seed);
    prng random{seed};
    turn_queue<int> queue;
    std::vector<thing> waiting;                // as they came
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> passed;   // times that this line was passed over since its last turn
    int next = 0;
    for (int step = 0; step < 300; ++step) {
      const auto what = random.below(10);
      if (what < 5) {
        const thing t{next++, static_cast<std::uint32_t>(random.below(2)), static_cast<std::uint32_t>(random.below(5))};
        const auto same = [&t](const thing& o) { return o.rank == t.rank && o.home == t.home; };
        if (std::ranges::none_of(waiting, same)) passed[{t.rank, t.home}] = 0;
        queue.put(t.rank, home_id{t.home}, t.id);
        waiting.push_back(t);
      } else if (what < 6 && !waiting.empty()) {
        const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(random.below(waiting.size()));
        queue.remove(at->id);
        waiting.erase(at);
      } else if (!waiting.empty()) {
        const auto [rank, id] = queue.front();
        const auto at = std::ranges::find(waiting, id, &thing::id);
        REQUIRE(at != waiting.end());
        const thing t = *at;
        CHECK(t.rank == rank);
        CHECK(std::ranges::none_of(waiting, [&](const thing& o) { return o.rank < t.rank; }));
        CHECK(std::ranges::find_if(waiting, [&](const thing& o) { return o.rank == t.rank && o.home == t.home; }) == at);
        passed[{t.rank, t.home}] = 0;
        for (std::uint32_t home = 0; home < 5; ++home) {
          if (home == t.home) continue;
          const bool waits = std::ranges::any_of(waiting, [&](const thing& o) { return o.rank == rank && o.home == home; });
          auto& times = passed[{rank, home}];
          times = waits ? times + 1 : 0;
          CHECK(times <= 4);                   // the other homes, once each
        }
        queue.pop();
        waiting.erase(at);
      }
      REQUIRE(queue.size() == waiting.size());
      REQUIRE(queue.empty() == waiting.empty());
    }
  }
}
