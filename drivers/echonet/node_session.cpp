#include "drivers/echonet/node_session.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

namespace {

// Jobs in a row in which a smaller request was answered and a larger one was not. A node that has answered the larger
// number before is more likely behind a lossy line.
constexpr std::uint8_t proofs_that_smaller_helps = 3;
constexpr std::uint8_t proofs_against_experience = 20;

}  // namespace

void node_session::start(mono_time now, const job& what, std::vector<datagram>& out) {
  TOMO_REQUIRE(state_ == state::idle && what.count > 0 && what.tries > 0);
  // After a silent job the next one begins smaller: the size may have been the reason.
  if (end_ == job_end::answered) {
    batch_ = capacity_;
    silent_at_ = 0;
  } else {
    batch_ = std::max<std::size_t>(1, batch_ / 2);
  }
  job_ = what;
  ++job_number_;
  values_.clear();
  tries_used_ = 0;
  send_next(now, out);
}

millis node_session::timeout() const {
  const millis first = std::clamp(2 * rtt_recent_max_, answer_timeout_min, answer_timeout_max);
  millis out = first;
  for (std::uint8_t i = 1; i < tries_used_; ++i) out += out / 2;
  return out;
}

void node_session::send_next(mono_time now, std::vector<datagram>& out) {
  if (++tid_ == 0) ++tid_;  // some nodes announce with TID 0
  datagram& request = out.emplace_back();
  request.to = endpoint{address_, udp_port};
  frame_writer writer{request.payload, {tid_, controller, job_.object, esv::get}};
  asked_count_ = 0;
  for (std::size_t i = 0; i < job_.count && asked_count_ < batch_; ++i) {
    if (values_.settled(job_.codes[i])) continue;
    asked_[asked_count_++] = job_.codes[i];
    writer.add(job_.codes[i]);
  }
  past_[past_next_] = {tid_, job_.object, now, job_number_, false, true};
  past_next_ = (past_next_ + 1) % past_max;
  ++tries_used_;
  ++statistics_.sent;
  sent_at_ = now;
  state_ = state::waiting;
  deadline_ = now + timeout();
}

bool node_session::all_settled() const {
  return std::all_of(job_.codes.begin(), job_.codes.begin() + job_.count,
                     [this](epc_code c) { return values_.settled(c); });
}

bool node_session::request_settled() const {
  return std::all_of(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(asked_count_),
                     [this](epc_code c) { return values_.settled(c); });
}

void node_session::take_values(const frame_view& frame) {
  for (const property_view p : frame.properties) {
    const bool wanted = std::find(job_.codes.begin(), job_.codes.begin() + job_.count, p.epc) !=
                        job_.codes.begin() + job_.count;
    if (!wanted) continue;
    if (p.edt.empty()) {
      values_.refuse(p.epc);
    } else {
      values_.put(p.epc, p.edt);
    }
  }
}

node_session::taken node_session::on_answer(mono_time now, const frame_view& frame) {
  const bool current = (state_ == state::waiting || state_ == state::lingering) && frame.tid == tid_ &&
                       frame.seoj == job_.object;
  const taken result = current ? take_answer(now, frame) : take_past(now, frame);
  if (result == taken::unmatched) ++statistics_.unmatched;
  return result;
}

node_session::taken node_session::take_answer(mono_time now, const frame_view& frame) {
  if (past_request* const entry = find_past(now, frame); entry != nullptr && !entry->answered) {
    entry->answered = true;
    ++statistics_.answered;
    count_rtt(now - sent_at_);
  }
  take_values(frame);
  ready_at_ = now + request_gap;
  if (!request_settled()) {
    if (state_ == state::waiting) {
      state_ = state::lingering;
      deadline_ = ready_at_;
    }
    return taken::in_progress;
  }
  learn_from_full_answer();
  if (all_settled()) {
    finish(now, job_end::answered);
    return taken::job_ended;
  }
  tries_used_ = 0;
  state_ = state::pausing;
  deadline_ = ready_at_;
  return taken::in_progress;
}

node_session::past_request* node_session::find_past(mono_time now, const frame_view& frame) {
  for (past_request& p : past_) {
    if (p.used && p.tid == frame.tid && p.object == frame.seoj && now - p.sent_at <= late_answer_max) return &p;
  }
  return nullptr;
}

// All that the job wanted has been told from what was read later: a counter must not seem to go back.
bool node_session::overtaken(const past_request& r) const {
  if (r.job_number != job_number_ || end_ != job_end::answered) return false;
  return std::any_of(past_.begin(), past_.end(), [&r](const past_request& other) {
    return other.used && other.answered && other.job_number == r.job_number && other.sent_at > r.sent_at;
  });
}

node_session::taken node_session::take_past(mono_time now, const frame_view& frame) {
  past_request* const entry = find_past(now, frame);
  if (entry == nullptr || entry->answered) return taken::unmatched;
  hit(probe::answer_late);
  entry->answered = true;
  ++statistics_.late;
  rtt_recent_max_ = std::max(rtt_recent_max_, now - entry->sent_at);
  if (state_ == state::idle || entry->job_number != job_number_) return overtaken(*entry) ? taken::overtaken : taken::late;
  // An earlier try of the job that is still running: it serves as well as the answer we wait for.
  take_values(frame);
  if (!all_settled()) return taken::in_progress;
  ready_at_ = now + request_gap;
  finish(now, job_end::answered);
  return taken::job_ended;
}

void node_session::finish(mono_time now, job_end end) {
  state_ = state::idle;
  deadline_ = never;
  end_ = end;
  ready_at_ = std::max(ready_at_, end == job_end::answered ? now + request_gap : now);
}

bool node_session::on_wake(mono_time now, std::vector<datagram>& out) {
  if (now < deadline_) return false;
  switch (state_) {
    case state::idle: return false;
    case state::pausing: send_next(now, out); return false;
    case state::lingering: {
      const auto settled = static_cast<std::size_t>(
          std::count_if(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(asked_count_),
                        [this](epc_code c) { return values_.settled(c); }));
      if (settled == 0) return failed_try(now, out);
      learn_from_short_answer(settled);
      tries_used_ = 0;
      send_next(now, out);
      return false;
    }
    case state::waiting:
      ++statistics_.timeouts;
      silent_at_ = silent_at_ == 0 ? asked_count_ : std::min(silent_at_, asked_count_);
      return failed_try(now, out);
  }
  return false;
}

bool node_session::failed_try(mono_time now, std::vector<datagram>& out) {
  if (tries_used_ >= job_.tries) {
    finish(now, job_end::silent);
    return true;
  }
  const bool last = tries_used_ + 1 == job_.tries;
  if (last && job_.tries > 1) batch_ = std::max<std::size_t>(1, asked_count_ / 2);
  send_next(now, out);
  return false;
}

void node_session::count_rtt(millis rtt) {
  statistics_.rtt_min = statistics_.answered == 1 ? rtt : std::min(statistics_.rtt_min, rtt);
  statistics_.rtt_max = std::max(statistics_.rtt_max, rtt);
  statistics_.rtt_sum += rtt;
  // The recent maximum decays by an eighth an answer.
  rtt_recent_max_ = std::max(rtt, rtt_recent_max_ - rtt_recent_max_ / 8);
}

void node_session::learn_from_full_answer() {
  if (silent_at_ > asked_count_) {
    const bool larger_was_answered = proven_ >= silent_at_;
    silent_at_ = 0;
    if (++smaller_helped_ < (larger_was_answered ? proofs_against_experience : proofs_that_smaller_helps)) return;
    smaller_helped_ = 0;
    proven_ = asked_count_;
    capacity_ = std::max<std::size_t>(1, asked_count_);
    full_answers_ = 0;
    growth_after_ = std::min(growth_after_ * 2, growth_after_max);
    return;
  }
  proven_ = std::max(proven_, asked_count_);
  if (asked_count_ < capacity_) return;
  smaller_helped_ = 0;
  // More would have been asked if it were allowed: worth a try now and then.
  if (job_.count <= capacity_ || capacity_ >= properties_max) return;
  if (++full_answers_ < growth_after_) return;
  full_answers_ = 0;
  capacity_ = std::min(capacity_ * 2, properties_max);
}

void node_session::learn_from_short_answer(std::size_t settled) {
  if (settled >= capacity_) return;
  capacity_ = std::max<std::size_t>(1, settled);
  batch_ = capacity_;
  full_answers_ = 0;
  growth_after_ = std::min(growth_after_ * 2, growth_after_max);
}

}  // namespace tomoshibi::drivers::echonet
