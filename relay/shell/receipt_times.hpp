// How long presses were with this relay until they were durable and it said so: its own part of their way, in real time by the
// machine's monotonic clock. From the first lane bytes, deciphered, of the turn that brought the press until its commit was through and
// the answer was with the connection. Waiting for a processor before the turn is not in it: the box's clock has that.
#pragma once

#include "relay/core/emergency/report.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace tomoshibi::relay {

inline constexpr std::size_t receipts_kept = 1'000;  // of which percentiles are told

class receipt_times {
public:
  static constexpr std::array<std::uint32_t, 9> bounds_us{250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 1'000'000};
  void add(std::chrono::microseconds took);
  std::uint64_t count() const { return count_; }
  std::chrono::microseconds sum() const { return sum_; }
  std::uint64_t at_most(std::size_t bound) const { return at_most_[bound]; }  // how many took bounds_us[bound] or less
  delay_summary recent() const { return summary_of(recent_); }              // of the last receipts_kept

private:
  std::array<std::uint64_t, bounds_us.size()> at_most_{};
  std::uint64_t count_ = 0;
  std::chrono::microseconds sum_{};
  std::vector<std::uint32_t> recent_;        // a ring: count_ says where the next one goes
};

// Takes the times, turn by turn. A press whose commit failed waits for the one that succeeds.
class receipt_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;
  void on_bytes(time_point at);
  void on_commit_due() { sent_at_.reset(); }      // what was sent before is no answer to a press
  void on_sent(time_point at) { sent_at_ = at; }  // something on a lane: of a turn the last counts
  // Everything of the turn is done; answers went out before what the commit asks for besides. `begun`: presses that have become known
  // since the start; `commits`: those that succeeded. Answers whether bytes came in this turn.
  bool on_turn_end(time_point at, std::uint64_t begun, std::uint64_t commits);
  const receipt_times& times() const { return times_; }

private:
  receipt_times times_;
  std::optional<time_point> bytes_at_;       // of the first that came in this turn
  std::optional<time_point> sent_at_;
  std::optional<time_point> waiting_since_;  // for a commit
  std::uint64_t waiting_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t commits_ = 0;
};

}  // namespace tomoshibi::relay
