#include "firmware/core/outbox.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::size_t measure_step = 256;  // records read at once while loading

}  // namespace

outbox::outbox(outbox_store& store, const outbox_limits& limits, log_sink& log)
    : store_(store), limits_(limits), log_(log, "outbox") {}

bool outbox::load(mono_time now) {
  if (loaded_ || !due(now)) return false;
  if (auto ok = load_state(); !ok) {
    failed(now, ok.error());
    return false;
  }
  failing_ = false;
  return !std::exchange(ever_loaded_, true);
}

status outbox::load_state() {
  auto state = store_.load();
  if (!state) return std::unexpected(state.error());
  const bool same_log = ever_loaded_ && state->epoch == epoch_;
  if (same_log && attempted_ > 0 && state->next == next_ + attempted_) {
    hit(probe::outbox_commit_was_there);
    for (std::size_t i = 0; i < attempted_; ++i) {  // the failed commit is there after all
      pending_bytes_ -= pending_.front().size();
      pending_.pop_front();
    }
    replace_.clear();
  }
  if (!same_log) {
    acknowledged_ = 0;
    replace_.clear();
  }
  attempted_ = 0;
  if (!same_log) maybe_received_ = state->next - 1;
  const record_seq oldest = std::max(state->oldest, std::min(acknowledged_ + 1, state->next));
  if (auto ok = measure(oldest, state->next); !ok) return ok;
  epoch_ = state->epoch;
  next_ = state->next;
  trimmed_ = state->oldest - 1;
  if (acknowledged_ == 0) acknowledged_ = trimmed_;
  recreated_ = recreated_ || state->recreated;
  if (!ever_loaded_) initial_ = std::move(*state);
  loaded_ = true;
  return {};
}

status outbox::measure(record_seq oldest, record_seq next) {
  sizes_.clear();
  held_bytes_ = 0;
  while (oldest + sizes_.size() < next) {
    auto part = store_.read(oldest + sizes_.size(), measure_step);
    if (!part) return std::unexpected(part.error());
    if (part->empty()) return fail(errc::storage_corrupt, "records are missing from the log");
    for (const auto& record : *part) {
      if (record.seq != oldest + sizes_.size()) return fail(errc::storage_corrupt, "records are missing from the log");
      sizes_.push_back(static_cast<std::uint32_t>(record.data.size()));
      held_bytes_ += record.data.size();
    }
  }
  return {};
}

void outbox::append(const wire::record& record) {
  bytes data = wire::encode_record(record);
  if (!TOMO_CHECK(data.size() <= wire::record_bytes_max)) return;
  ++counts_.made;
  pend(std::move(data));
}

void outbox::pend(bytes data) {
  if (pending_.size() >= limits_.pending_max) {
    const auto victim = pending_.begin() + static_cast<std::ptrdiff_t>(std::min(attempted_, pending_.size() - 1));
    pending_bytes_ -= victim->size();
    pending_.erase(victim);
    ++counts_.dropped;
    ++dropped_untold_;
  }
  pending_bytes_ += data.size();
  pending_.push_back(std::move(data));
}

void outbox::acknowledge(record_seq through) {
  TOMO_REQUIRE(through < next_);
  acknowledged_ = std::max(acknowledged_, through);
  while (!sizes_.empty() && oldest() <= acknowledged_) forget_oldest();
}

void outbox::session_began(record_seq acked) {
  acknowledge(acked);
  maybe_received_ = acknowledged_;
}

bool outbox::fill_through(record_seq acked) {
  if (acked - last() > limits_.fill_max || attempted_ > 0) return false;
  wire::record filler;
  filler.body = wire::event{wire::event_kind::records_dropped, 0};
  const bytes data = wire::encode_record(filler);
  for (record_seq seq = next_; seq <= acked; ++seq) {
    pending_.push_front(data);
    pending_bytes_ += data.size();
  }
  return true;
}

void outbox::forget_oldest() {
  held_bytes_ -= sizes_.front();
  sizes_.pop_front();
}

void outbox::replace(record_seq seq, const wire::record& record) {
  bytes data = wire::encode_record(record);
  if (seq >= next_) {
    bytes& old = pending_[static_cast<std::size_t>(seq - next_)];
    pending_bytes_ = pending_bytes_ - old.size() + data.size();
    old = std::move(data);
    return;
  }
  if (seq < oldest()) return;
  std::uint32_t& size = sizes_[static_cast<std::size_t>(seq - oldest())];
  held_bytes_ = held_bytes_ - size + data.size();
  size = static_cast<std::uint32_t>(data.size());
  replace_.push_back({seq, std::move(data)});
}

// Gives up the oldest records until what waits fits, and says so in one record of its own.
void outbox::make_room(wall_at made) {
  const auto over = [this] {
    return sizes_.size() + pending_.size() > limits_.records_max || held_bytes_ + pending_bytes_ > limits_.bytes_max;
  };
  while (over() && !sizes_.empty()) {
    for (std::size_t i = 0; i < limits_.drop_count && !sizes_.empty(); ++i) {
      forget_oldest();
      ++counts_.dropped;
      ++dropped_untold_;
    }
  }
  if (dropped_untold_ == 0) return;
  log_.error("records_dropped", {{"count", dropped_untold_}});
  wire::record record;
  record.body = wire::event{wire::event_kind::records_dropped, static_cast<std::int64_t>(dropped_untold_)};
  record.made = made;
  dropped_untold_ = 0;
  append(record);
}

outbox_batch outbox::compose() const {
  outbox_batch batch;
  record_seq seq = next_;
  batch.append.reserve(pending_.size());
  for (const auto& data : pending_) batch.append.push_back({seq++, data});
  for (const auto& record : replace_) {
    if (record.seq >= oldest()) batch.replace.push_back(record);
  }
  if (oldest() - 1 > trimmed_) batch.trim_through = oldest() - 1;
  batch.checkpoint = checkpoint_;
  batch.config = config_;
  return batch;
}

bool outbox::commit(mono_time now, wall_at made) {
  if (!loaded_) return false;  // also while a retry has to wait: what failed has to be loaded anew
  make_room(made);
  attempted_ = pending_.size();
  if (auto ok = store_.commit(compose()); !ok) {
    failed(now, ok.error());
    return false;
  }
  committed();
  return true;
}

void outbox::committed() {
  trimmed_ = std::max(trimmed_, oldest() - 1);
  for (const auto& data : pending_) {
    sizes_.push_back(static_cast<std::uint32_t>(data.size()));
    held_bytes_ += data.size();
  }
  next_ += pending_.size();
  pending_.clear();
  pending_bytes_ = 0;
  attempted_ = 0;
  replace_.clear();
  config_.reset();
  checkpoint_.reset();
  ++counts_.commits;
  if (std::exchange(failure_told_, false)) log_.info("store_well");
  failing_ = false;
}

void outbox::failed(mono_time now, const error& why) {
  ++counts_.failures;
  // A store that is full can be loaded and still takes nothing: what fails every few seconds is told once, until a commit.
  if (!std::exchange(failure_told_, true)) {
    log_.error("store_failed", {{"err", name_of(why.code)}, {"detail", why.detail}});
  }
  failing_ = true;
  loaded_ = false;
  retry_at_ = now + store_retry;
}

// A commit that failed may be there all the same: until that is known, what lies behind next_ is not to leave the house, or
// the relay would acknowledge what we do not hold.
std::size_t outbox::held_from(record_seq from, std::size_t count_max) const {
  return from < next_ ? static_cast<std::size_t>(std::min<record_seq>(count_max, next_ - from)) : 0;
}

result<std::vector<stored_record>> outbox::read(record_seq from, std::size_t count_max) {
  const std::size_t count = held_from(from, count_max);
  if (count == 0) return std::vector<stored_record>{};
  auto out = store_.read(from, count);
  if (!out) log_.error("read_failed", {{"err", name_of(out.error().code)}, {"detail", out.error().detail}});
  return out;
}

result<std::vector<logged_record>> outbox::logged(record_seq from, std::size_t count_max) {
  std::vector<logged_record> out;
  from = std::max(from, oldest());
  while (from < next_ && out.size() < count_max) {
    auto part = store_.read(from, held_from(from, std::min(measure_step, count_max - out.size())));
    if (!part) return std::unexpected(part.error());
    if (part->empty()) return fail(errc::storage_corrupt, "records are missing from the log");
    for (auto& record : *part) {
      for (const auto& changed : replace_) {
        if (changed.seq == record.seq) record.data = changed.data;
      }
      out.push_back({record.seq, std::move(record.data)});
    }
    from = out.back().seq + 1;
  }
  for (; from >= next_ && from - next_ < pending_.size() && out.size() < count_max; ++from) {
    out.push_back({from, pending_[static_cast<std::size_t>(from - next_)]});
  }
  return out;
}

}  // namespace tomoshibi::firmware
