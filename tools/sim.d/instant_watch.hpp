// Finds virtual time that stands still: somebody who asks again and again for a wake at the moment that already is.
//
// Without it such a run never ends and says nothing. What many homes do at one moment after a mass cut is far below the limit.
#pragma once

#include "tools/sim.d/event_heap.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::sim {

inline constexpr std::uint64_t events_at_one_instant_base = 10'000;
inline constexpr std::uint64_t events_at_one_instant_per_home = 200;

std::string_view name_of(event_kind kind);

class instant_watch {
public:
  explicit instant_watch(std::uint32_t homes)
      : limit_(events_at_one_instant_base + std::uint64_t{homes} * events_at_one_instant_per_home) {}

  // False: the limit is reached, and time will not go on.
  bool on_event(const event& e) {
    if (e.at != at_) {
      at_ = e.at;
      count_ = 0;
    }
    return ++count_ < limit_;
  }
  // Who did it: what came at the limit comes all the time.
  std::string what(const event& last) const;

private:
  std::uint64_t limit_;
  mono_time at_{};
  std::uint64_t count_ = 0;
};

}  // namespace tomoshibi::sim
