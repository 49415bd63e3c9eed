#include "firmware/core/slot_clock.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr wall_at built = wall_from_ms(1'700'000'000'000);
constexpr mono_time t0 = mono_from_ms(1'000);

}  // namespace

TEST_CASE("a disciplined machine clock is believed at once and followed to the millisecond") {
  slot_clock clock{built};
  auto change = clock.on_system(t0, {built + 1h, true}, {});
  CHECK(change.known);
  CHECK(change.synced);
  CHECK(change.step == 0ms);
  CHECK(clock.wall(t0 + 5s) == built + 1h + 5s);
  CHECK(clock.mono(built + 2h) == t0 + 1h);
  change = clock.on_system(t0 + 60s, {built + 1h + 60s + 3ms, true}, {});
  CHECK(change.step == 3ms);
  CHECK_FALSE(change.known);
  CHECK_FALSE(change.synced);
  CHECK(clock.next_wake() == never);
}

TEST_CASE("an undisciplined clock is waited over for ten minutes, then assumed") {
  slot_clock clock{built};
  CHECK_FALSE(clock.on_system(t0, {built, false}, {}).known);
  CHECK_FALSE(clock.known());
  CHECK(clock.guess(t0) == built);
  CHECK(clock.next_wake() == t0 + 10min);
  CHECK_FALSE(clock.on_system(t0 + 60s, {built + 60s, false}, {}).known);
  CHECK(clock.next_wake() == t0 + 10min);  // the wait is not begun anew
  CHECK_FALSE(clock.on_wake(t0 + 10min - 1ms).known);
  const auto change = clock.on_wake(t0 + 10min);
  CHECK(change.known);
  CHECK_FALSE(change.synced);
  CHECK(clock.known());
  CHECK_FALSE(clock.synced());
  CHECK_FALSE(clock.on_wake(t0 + 11min).known);
  // It is followed where it goes, as long as it is plausible.
  CHECK(clock.on_system(t0 + 11min, {built + 12min, false}, {}).step == 1min);
  CHECK(clock.on_system(t0 + 12min, {built + 5min, false}, built + 6min).step == 0ms);
  // Then the relay tells the time.
  const auto synced = clock.on_relay(t0 + 13min, built + 1h, 0ms);
  CHECK(synced.synced);
  CHECK(synced.step == 1h - 14min);
}

TEST_CASE("times before the build, before the last slot made or after 2100 are not plausible") {
  slot_clock clock{built};
  clock.on_system(t0, {built - 1ms, false}, {});
  CHECK_FALSE(clock.guess(t0));
  clock.on_system(t0, {built - 1ms, true}, {});
  clock.on_system(t0, {wall_latest, true}, {});
  clock.on_relay(t0, wall_from_ms(0), 0ms);
  clock.on_relay(t0, wall_latest, 0ms);
  clock.on_system(t0, {built + 1h, false}, built + 1h + 1ms);
  CHECK_FALSE(clock.guess(t0));
  CHECK(clock.next_wake() == never);
  clock.on_system(t0, {built + 1h, false}, built + 1h);
  CHECK(clock.guess(t0) == built + 1h);
  // A disciplined clock may say that slots were made ahead of time.
  CHECK(clock.on_system(t0, {built + 30min, true}, built + 1h).known);
}

TEST_CASE("the relay's word: half the round trip later, not at all if that took too long") {
  slot_clock clock{built};
  CHECK_FALSE(clock.on_relay(t0, built + 1h, 10s + 1ms).known);
  CHECK_FALSE(clock.on_relay(t0, built + 1h, -1ms).known);
  CHECK(clock.on_relay(t0, built + 1h, 4s).known);
  CHECK(clock.wall(t0) == built + 1h + 2s);
  CHECK(clock.on_relay(t0, built + 1h + 2s + 1s, 0ms).step == 0ms);  // within its own tolerance
  CHECK(clock.on_relay(t0, built + 1h + 2s + 1001ms, 0ms).step == 1001ms);
  CHECK(clock.on_system(t0, {built, false}, {}).step == 0ms);          // undisciplined: not heard any more
}

TEST_CASE("a disciplined machine clock outranks the relay while it is fresh") {
  slot_clock clock{built};
  clock.on_system(t0, {built + 1h, true}, {});
  CHECK(clock.on_relay(t0 + 5min, built + 5h, 0ms).step == 0ms);
  CHECK(clock.on_relay(t0 + 5min + 1ms, built + 1h + 5min + 1ms + 7s, 0ms).step == 7s);
}
