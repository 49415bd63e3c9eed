// Turns an event loop until something is so, without waiting on a clock: what other threads and the kernel do takes a
// while, so each fruitless turn gives the processor away. Bounded: a test that cannot go on fails.
#pragma once

#include "protocol/adapters/event_loop.hpp"

#include <sched.h>

namespace tomoshibi::testing {

inline constexpr int fruitless_turns_max = 2'000'000;

template <class Predicate>
bool drive(event_loop& loop, Predicate so) {
  for (int fruitless = 0; fruitless < fruitless_turns_max;) {
    if (so()) return true;
    if (loop.poll() == 0) {
      ++fruitless;
      ::sched_yield();
    }
  }
  return so();
}

// A few turns in which nothing is expected to happen.
inline void settle(event_loop& loop) {
  for (int i = 0; i < 200; ++i) loop.poll();
}

}  // namespace tomoshibi::testing
