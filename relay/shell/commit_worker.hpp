// Runs store.commit() on a thread of its own, one batch at a time, so that a slow disk never holds up the reactor.
#pragma once

#include "relay/ports/store.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace tomoshibi::relay {

struct commit_report {
  status outcome;
  std::chrono::microseconds took{};  // real time, for the metrics only
};

class commit_worker {
public:
  using done_handler = std::move_only_function<void(commit_report)>;  // called once, on the worker's thread

  explicit commit_worker(store& into);  // outlives the worker
  ~commit_worker();                     // finishes what is out
  commit_worker(const commit_worker&) = delete;
  commit_worker& operator=(const commit_worker&) = delete;

  void start(std::shared_ptr<const write_batch> batch, done_handler done);  // at most one is out: a second one is a broken invariant

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
