// Goal: the generator is the published one (so a seed repeats everywhere) and its helpers keep their bounds.
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("the same seed gives the same numbers, another seed others") {
  prng a{1}, b{1}, c{2};
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto x = a.next();
    REQUIRE(x == b.next());
    differs = differs || x != c.next();
  }
  CHECK(differs);
}

TEST_CASE("below and between keep their bounds and reach both ends") {
  prng random{42};
  bool low = false, high = false;
  for (int i = 0; i < 2'000; ++i) {
    const auto v = random.between(-3, 3);
    REQUIRE(v >= -3);
    REQUIRE(v <= 3);
    low = low || v == -3;
    high = high || v == 3;
  }
  CHECK(low);
  CHECK(high);
  CHECK(random.below(0) == 0);
  CHECK(random.below(1) == 0);
  CHECK_FALSE(random.chance(0));
  CHECK(random.chance(1000));
}
