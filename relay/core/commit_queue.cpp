#include "relay/core/commit_queue.hpp"

#include "protocol/base/probe.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::relay {

void commit_queue::add(write w) {
  collecting_.push_back(std::move(w));
  ++pending_;
}

void commit_queue::end_turn(turn& t) {
  // The last of several batches is the one that collects: sealing it changes no place in front of it.
  if (collecting_.size() >= limits_.batch_writes_max) sealed_.push_back(std::exchange(collecting_, {}));
  if (!out_) {
    if (flying_) {
      if (t.now >= retry_at_) submit(t);
    } else if (!sealed_.empty()) {
      fly(std::move(sealed_.front()));
      sealed_.pop_front();
      submit(t);
    } else if (!collecting_.empty()) {
      fly(std::exchange(collecting_, {}));
      submit(t);
    }
  }
  count_.writes_pending = pending_;
}

void commit_queue::fly(write_batch batch) {
  flying_ = std::make_shared<const write_batch>(std::move(batch));
  forget_homes();
}

void commit_queue::submit(turn& t) {
  out_ = true;
  retry_at_ = never;
  t.out.emplace_back(std::in_place_type<commit>, commit_ticket{++last_ticket_}, flying_);
}

std::shared_ptr<const write_batch> commit_queue::on_done(turn& t, commit_ticket ticket, const status& done) {
  if (!out_ || ticket != commit_ticket{last_ticket_}) return nullptr;
  out_ = false;
  if (!done) {
    on_failure(t, done.error());
    return nullptr;
  }
  if (count_.commit_failing) log_.info("commits_again", {{"writes", flying().size()}});
  count_.commit_failing = false;
  ++count_.commits;
  retry_delay_ = {};
  pending_ -= flying().size();
  forget_homes();
  return std::exchange(flying_, nullptr);
}

void commit_queue::note_homes() {
  for (; noted_.first < batches(); ++noted_.first, noted_.second = 0) {
    const write_batch& writes = batch(noted_.first);
    for (; noted_.second < writes.size(); ++noted_.second) {
      const write& w = writes[noted_.second];
      if (const auto* s = std::get_if<slots_write>(&w)) by_home_[s->home].push_back(noted_);
      else if (const auto* g = std::get_if<gap_write>(&w)) by_home_[g->home].push_back(noted_);
    }
    if (noted_.first + 1 == batches()) return;   // it collects: more will come
  }
}

void commit_queue::on_failure(turn& t, const error& why) {
  hit(probe::commit_failed);
  ++count_.commits_failed;
  count_.commit_failing = true;
  retry_delay_ = std::clamp(retry_delay_ * 2, limits_.commit_retry_first, limits_.commit_retry_max);
  retry_at_ = t.now + retry_delay_;
  log_.error("commit_failed", {{"err", name_of(why.code)}, {"detail", why.detail}, {"writes", flying().size()},
                               {"retry_ms", retry_delay_.count()}});
}

}  // namespace tomoshibi::relay
