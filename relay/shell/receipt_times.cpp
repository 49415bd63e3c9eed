#include "relay/shell/receipt_times.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tomoshibi::relay {

void receipt_times::add(std::chrono::microseconds took) {
  using us = std::uint32_t;
  const us whole = static_cast<us>(std::clamp<std::int64_t>(took.count(), 0, std::numeric_limits<us>::max()));
  for (std::size_t i = 0; i < bounds_us.size(); ++i)
    if (whole <= bounds_us[i]) ++at_most_[i];
  if (recent_.size() < receipts_kept) recent_.push_back(whole);
  else recent_[count_ % receipts_kept] = whole;
  ++count_;
  sum_ += took;
}

void receipt_watch::on_bytes(time_point at) {
  if (!bytes_at_) bytes_at_ = at;
}

bool receipt_watch::on_turn_end(time_point at, std::uint64_t begun, std::uint64_t commits) {
  const auto bytes_at = std::exchange(bytes_at_, std::nullopt);
  const auto sent_at = std::exchange(sent_at_, std::nullopt);
  const std::uint64_t fresh = begun - std::exchange(begun_, begun);
  const bool committed = std::exchange(commits_, commits) != commits;
  if (fresh != 0 && !waiting_since_) waiting_since_ = bytes_at.value_or(at);
  waiting_ += fresh;
  if (committed && waiting_ != 0) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(sent_at.value_or(at) - *waiting_since_);
    for (; waiting_ != 0; --waiting_) times_.add(took);
    waiting_since_.reset();
  }
  return bytes_at.has_value();
}

}  // namespace tomoshibi::relay
