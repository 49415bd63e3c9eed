// Readings taken while no time is known, to be played through the aggregator when it is. Bounded: the oldest give way.
#pragma once

#include "firmware/core/watch.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/time.hpp"

#include <deque>
#include <utility>

namespace tomoshibi::firmware {

// 10 appliances read once a minute: more than half a day.
inline constexpr std::size_t journal_entries_max = 8192;

struct journal_entry {
  mono_time at{};
  appliance_id appliance{};
  bool missed = false;
  appliance_reading reading;
};

class journal {
public:
  void add(const journal_entry& entry) {
    if (entries_.size() >= journal_entries_max) {
      entries_.pop_front();
      ++dropped_;
    }
    entries_.push_back(entry);
  }
  std::deque<journal_entry> take() { return std::exchange(entries_, {}); }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t dropped() const { return dropped_; }

private:
  std::deque<journal_entry> entries_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tomoshibi::firmware
