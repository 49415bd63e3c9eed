// The one heap of the presses' world: what is to happen, in order of time and then of asking. Virtual; starts at 0.
#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace tomoshibi::sim {

class press_clock {
public:
  mono_time now() const { return now_; }
  void at(mono_time when, std::function<void()> what) {
    heap_.push({.when = std::max(when, now_), .order = ++order_, .what = std::move(what)});
  }
  void run_until(mono_time end) {
    while (!heap_.empty() && heap_.top().when < end) {
      thing next = heap_.top();
      heap_.pop();
      now_ = next.when;
      ++events_;
      hash_ = (hash_ ^ static_cast<std::uint64_t>(to_ms(now_))) * 0x100000001b3;  // FNV-1a
      next.what();
    }
    now_ = end;
  }
  std::uint64_t next_session() { return ++sessions_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t hash() const { return hash_; }

private:
  struct thing {
    mono_time when;
    std::uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const thing& other) const { return when != other.when ? when > other.when : order > other.order; }
  };
  std::priority_queue<thing> heap_;
  mono_time now_{};
  std::uint64_t order_ = 0, sessions_ = 0, events_ = 0, hash_ = 0xcbf29ce484222325;
};

}  // namespace tomoshibi::sim
