// Group commit: one batch is out at the store, the next collects meanwhile. A batch that failed is tried again, the same,
// until it succeeds: nothing behind it overtakes it, so what was promised in order becomes durable in order.
//
// States: idle -> out -> (failed: waiting -> out) -> idle. The writes of one turn are never divided between two batches.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/health.hpp"
#include "relay/core/limits.hpp"
#include "relay/core/turn.hpp"

#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tomoshibi::relay {

class commit_queue {
public:
  commit_queue(const limits& l, health& count, log_sink& log) : limits_(l), count_(count), log_(log, "commit") {}

  void add(write w);
  void end_turn(turn& t);  // seals what the turn added; asks for a commit if none is out and none waits for its retry
  // The batch, once it is durable. Nothing if it failed (it will be tried again) or the ticket is not the one out.
  std::shared_ptr<const write_batch> on_done(turn& t, commit_ticket ticket, const status& done);

  mono_time next_wake() const { return out_ ? never : retry_at_; }
  std::size_t pending() const { return pending_; }  // writes not yet durable
  bool full() const { return pending_ >= limits_.pending_writes_max; }
  bool idle() const { return pending_ == 0; }

  // The slots and gaps of one home that are not durable yet, oldest first. What it takes to find them is written down when
  // it is first asked for and kept up from there: a storm of late slots costs each of them once, ordinary ingest nothing.
  template <class F>
  void for_each_pending_of(home_id home, F f) {
    note_homes();
    const auto found = by_home_.find(home);
    if (found == by_home_.end()) return;
    for (const place& at : found->second) f(batch(at.first)[at.second]);
  }

private:
  using place = std::pair<std::size_t, std::size_t>;   // number of a batch in the order of commit, index in it

  std::size_t batches() const { return sealed_.size() + 2; }
  const write_batch& batch(std::size_t number) const {
    if (number == 0) return flying();
    return number <= sealed_.size() ? sealed_[number - 1] : collecting_;
  }
  const write_batch& flying() const { return flying_ ? *flying_ : none_; }
  void fly(write_batch batch);
  void note_homes();
  void forget_homes() { by_home_.clear(), noted_ = {}; }

  void submit(turn& t);
  void on_failure(turn& t, const error& why);

  const limits& limits_;
  health& count_;
  logger log_;
  const write_batch none_;
  std::shared_ptr<const write_batch> flying_;   // out, or waiting for its retry
  std::deque<write_batch> sealed_;
  write_batch collecting_;
  std::size_t pending_ = 0;
  std::unordered_map<home_id, std::vector<place>> by_home_;   // of what lies before noted_
  place noted_{};
  bool out_ = false;
  std::uint64_t last_ticket_ = 0;
  mono_time retry_at_ = never;
  millis retry_delay_{};
};

}  // namespace tomoshibi::relay
