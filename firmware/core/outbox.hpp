// The durable log of records on their way to the relay, over the outbox_store port.
//
// A record is *pending* until a commit made it durable, *held* until the relay acknowledged it. Only held records are
// ever offered to the uplink. Sequences are given at the commit, so that what never became durable leaves no hole.
//
// Limits and overflow: held records and bytes are bounded; when full, the oldest `drop_count` are given up at once and
// counted in one RECORDS_DROPPED event. While the store fails, pending records are bounded too and the oldest give way.
// A failed commit is tried again every `store_retry` after loading the store anew, because a failed store is not to be
// trusted about what it holds; if the failed commit turns out to be there after all, it is not made twice.
#pragma once

#include "firmware/ports/outbox_store.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/time.hpp"
#include "protocol/wire/messages.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace tomoshibi::firmware {

inline constexpr millis store_retry = 5s;

struct outbox_limits {
  // 40 days have 3,840 slots; the rest is for devices' reports and events.
  std::size_t records_max = 6144;
  // A slot of 10 appliances is encoded in at most 300 bytes: 40 days are 1.2 MB.
  std::size_t bytes_max = 2'000'000;
  std::size_t pending_max = 1024;        // more than a week of slots in memory
  std::size_t drop_count = 96;           // a day of slots
  std::size_t fill_max = 4096;           // sequences filled after the store went back in time
};

// One record in the log, durable or not. `seq` of a pending one is what it will get.
struct logged_record {
  record_seq seq = 0;
  bytes data;
};

class outbox {
public:
  outbox(outbox_store& store, const outbox_limits& limits, log_sink& log);

  // Loads if that is needed and due; on failure the next try is due after store_retry. Returns true once, when the state
  // is there for the first time: initial() is then to be taken.
  bool load(mono_time now);
  bool loaded() const { return loaded_; }
  const outbox_state& initial() const { return initial_; }
  bool take_recreated() { return std::exchange(recreated_, false); }  // the former file was put aside

  void append(const wire::record& record);
  void set_config(bytes config) { config_ = std::move(config); }
  void set_checkpoint(bytes checkpoint) { checkpoint_ = std::move(checkpoint); }
  void acknowledge(record_seq through);  // forgets with the next commit; <= last() is the caller's duty
  // A session begins: the relay has what it acknowledges and nothing more. Later ones it may have as soon as they are sent.
  void session_began(record_seq acked);
  void mark_sent(record_seq through) { maybe_received_ = std::max(maybe_received_, through); }
  // Later ones the relay certainly does not have. After a start: all that was loaded it may have.
  record_seq maybe_received() const { return maybe_received_; }
  // The relay has acknowledged more than the log holds: the store went back in time (a chip that lied about a sync).
  // Empty events take the sequences in between, so that new records are not mistaken for old ones. False: too many.
  bool fill_through(record_seq acked);
  void replace(record_seq seq, const wire::record& record);  // of those in logged()

  // All of it in one transaction; false if it failed, has to wait or nothing is loaded. `made` stamps a RECORDS_DROPPED event.
  bool commit(mono_time now, wall_at made);
  bool rewriting() const { return !replace_.empty(); }  // what the store holds is about to change
  bool waiting() const { return !pending_.empty() || !replace_.empty() || config_ || checkpoint_; }
  // The store is well, or it is time to try again.
  bool due(mono_time now) const { return now >= retry_at_; }
  mono_time next_wake() const { return failing_ ? retry_at_ : never; }

  // Held records from `from` on.
  result<std::vector<stored_record>> read(record_seq from, std::size_t count_max);
  // Held and pending ones.
  result<std::vector<logged_record>> logged(record_seq from, std::size_t count_max);

  outbox_epoch epoch() const { return epoch_; }
  record_seq oldest() const { return next_ - sizes_.size(); }
  record_seq next() const { return next_; }       // of durable ones
  record_seq last() const { return next_ - 1; }
  record_seq acknowledged() const { return acknowledged_; }

  struct counters {
    std::uint64_t made = 0;
    std::uint64_t dropped = 0;
    std::uint64_t commits = 0;
    std::uint64_t failures = 0;
  };
  const counters& counts() const { return counts_; }
  std::size_t held() const { return sizes_.size(); }
  std::size_t held_bytes() const { return held_bytes_; }
  std::size_t pending() const { return pending_.size(); }
  bool healthy() const { return !failing_; }

private:
  status load_state();
  std::size_t held_from(record_seq from, std::size_t count_max) const;
  status measure(record_seq oldest, record_seq next);
  void make_room(wall_at made);
  void forget_oldest();
  void pend(bytes data);
  outbox_batch compose() const;
  void committed();
  void failed(mono_time now, const error& why);

  outbox_store& store_;
  outbox_limits limits_;
  logger log_;
  bool loaded_ = false;
  bool ever_loaded_ = false;
  bool failing_ = false;
  bool failure_told_ = false;            // in the log; until a commit succeeds
  bool recreated_ = false;
  mono_time retry_at_ = mono_time::min();
  outbox_state initial_;
  outbox_epoch epoch_{};
  record_seq next_ = 1;
  record_seq acknowledged_ = 0;
  record_seq maybe_received_ = 0;
  record_seq trimmed_ = 0;               // what the store has been told to forget
  std::deque<std::uint32_t> sizes_;      // of the held records
  std::size_t held_bytes_ = 0;
  std::deque<bytes> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t attempted_ = 0;            // so many of pending_ were in the commit that failed
  std::uint64_t dropped_untold_ = 0;
  std::vector<stored_record> replace_;
  std::optional<bytes> config_;
  std::optional<bytes> checkpoint_;
  counters counts_;
};

}  // namespace tomoshibi::firmware
