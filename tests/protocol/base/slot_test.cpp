// Goal: slots tile the calendar without gap or overlap, before and after 1970, to the millisecond.
#include "protocol/base/prng.hpp"
#include "protocol/base/slot.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("a slot starts on its first millisecond and ends before the next one's") {
  const slot_index s = slot_of(wall_from_ms(1'555'334'100'000));  // 2019-04-15T13:15:00Z
  CHECK(to_ms(start_of(s)) == 1'555'334'100'000);
  CHECK(slot_of(start_of(s)) == s);
  CHECK(slot_of(start_of(s) - 1ms) == s - 1);
  CHECK(slot_of(end_of(s) - 1ms) == s);
  CHECK(slot_of(end_of(s)) == s + 1);
}

TEST_CASE("times before 1970 floor like all others") {
  CHECK(slot_of(wall_from_ms(-1)) == slot_index{-1});
  CHECK(slot_of(wall_from_ms(-900'000)) == slot_index{-1});
  CHECK(slot_of(wall_from_ms(-900'001)) == slot_index{-2});
}

TEST_CASE("every moment lies in exactly its slot") {
  constexpr std::uint64_t seed = 20020401;
  INFO("seed " << seed);
  prng random{seed};
  for (int i = 0; i < 10'000; ++i) {
    const wall_at t = wall_from_ms(random.between(-4'000'000'000'000, 4'000'000'000'000 / 2));
    const slot_index s = slot_of(t);
    REQUIRE(start_of(s) <= t);
    REQUIRE(t < end_of(s));
  }
}
