// Goal: what waits for a commit is found by its home, each write once and in order, whatever was committed, sealed or retried in between.
#include "relay/core/commit_queue.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <deque>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

slots_write slot_of_home(std::uint32_t home, std::int32_t number) {
  slots_write w;
  w.home = home_id{home};
  w.slot.slot = slot_index{number};
  return w;
}

std::int32_t number_in(const relay::write& w) {
  if (const auto* s = std::get_if<slots_write>(&w)) return s->slot.slot - slot_index{0};
  return std::get<gap_write>(w).gap.first_slot - slot_index{0};
}

}  // namespace

TEST_CASE("the pending writes of a home are those added and not yet durable, in order") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    limits l;
    l.batch_writes_max = 1 + random.below(20);
    health count;
    commit_queue queue{l, count, null_log()};
    std::deque<std::pair<std::uint32_t, std::int32_t>> waiting;   // home and number, of all that is pending
    bool out = false;
    commit_ticket ticket{};
    mono_time now{};
    std::int32_t next = 0;
    for (int step = 0; step < 400; ++step) {
      output actions;
      turn t{now += 100ms, wall_at{}, actions};
      const auto what = random.below(10);
      if (what < 5) {
        for (std::uint64_t n = random.below(8); n > 0; --n) {
          const auto home = static_cast<std::uint32_t>(1 + random.below(3));
          if (random.chance(300)) {
            gap_write g;
            g.home = home_id{home};
            g.gap.first_slot = slot_index{next};
            queue.add(g);
          } else {
            queue.add(slot_of_home(home, next));
          }
          waiting.emplace_back(home, next++);
        }
      } else if (what < 8 && out) {
        const bool good = random.chance(800);
        const auto done = queue.on_done(t, ticket, good ? status{} : fail(errc::storage_io));
        REQUIRE((done != nullptr) == good);
        if (good) waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(done->size()));
        out = false;
      } else {
        const auto home = static_cast<std::uint32_t>(1 + random.below(3));
        std::vector<std::int32_t> found, wanted;
        queue.for_each_pending_of(home_id{home}, [&found](const relay::write& w) { found.push_back(number_in(w)); });
        for (const auto& [whose, number] : waiting)
          if (whose == home) wanted.push_back(number);
        REQUIRE(found == wanted);
      }
      queue.end_turn(t);
      for (const auto& a : actions)
        if (const auto* c = std::get_if<commit>(&a)) {
          out = true;
          ticket = c->ticket;
        }
      REQUIRE(queue.pending() == waiting.size());
    }
  }
}
