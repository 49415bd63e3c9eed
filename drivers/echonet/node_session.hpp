// The conversation with one address: never more than one request outstanding, a pause after each answer, repetitions with
// a new TID, and as many properties per request as this node was seen to answer.
//
//   idle --start--> waiting --answer with all--> idle (job ended: answered)
//                   waiting --answer with some--> lingering --gap--> pausing --gap--> waiting (the rest)
//                   waiting --timeout--> waiting (a new TID) --last timeout--> idle (job ended: silent)
//
// A job is a list of properties of one object; it may need several requests. An answer belongs to a request by address
// (the owner's), TID, and SEOJ = the object asked; the port is never looked at. Lingering is for nodes that answer one
// request by two datagrams. An answer to an earlier request of the same job still serves the job; one to an earlier job is
// late: its values count, the job stays ended. A second answer to an answered request counts for nothing, and so do the values
// of one that was overtaken: sent before a request whose answer served the same job, it holds what was true earlier.
//
// Number of properties: starts at properties_start. A short answer lowers it at once, because it is proof. Silence lowers
// it only when smaller requests were answered several jobs in a row after larger ones were not: a lossy line looks the
// same once. After a run of full answers a larger request is tried, less and less often.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/frame.hpp"
#include "drivers/echonet/limits.hpp"
#include "drivers/echonet/property_bag.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace tomoshibi::drivers::echonet {

struct node_statistics {
  std::uint64_t sent = 0;           // requests, repetitions included
  std::uint64_t answered = 0;       // in time
  std::uint64_t timeouts = 0;
  std::uint64_t late = 0;
  std::uint64_t unmatched = 0;      // answers to nothing we asked, and second answers
  std::uint64_t garbage = 0;        // datagrams that are no frame, or end early
  std::uint64_t announcements = 0;  // INF and INFC
  millis rtt_min{0};                // of answers in time
  millis rtt_max{0};
  millis rtt_sum{0};
  millis rtt_mean() const { return answered == 0 ? millis{0} : rtt_sum / static_cast<std::int64_t>(answered); }
};

struct job {
  eoj object;
  std::array<epc_code, job_properties_max> codes{};
  std::uint8_t count = 0;
  std::uint8_t tries = tries_max;
  void add(epc_code code) {
    if (code != 0 && count < codes.size()) codes[count++] = code;
  }
};

enum class job_end : std::uint8_t { answered, silent };

class node_session {
public:
  node_session(std::string address, std::uint16_t first_tid) : address_(std::move(address)), tid_(first_tid) {}

  const std::string& address() const { return address_; }
  bool idle() const { return state_ == state::idle; }
  mono_time ready_at() const { return ready_at_; }  // not before then may a job start
  void start(mono_time now, const job& what, std::vector<datagram>& out);

  enum class taken : std::uint8_t { job_ended, in_progress, late, overtaken, unmatched };
  taken on_answer(mono_time now, const frame_view& frame);
  bool on_wake(mono_time now, std::vector<datagram>& out);  // true: the job ended
  mono_time next_wake() const { return deadline_; }

  // Of the job that ended last.
  const job& current() const { return job_; }
  const property_bag& values() const { return values_; }
  job_end end() const { return end_; }

  std::size_t properties_per_request() const { return capacity_; }
  node_statistics& statistics() { return statistics_; }
  const node_statistics& statistics() const { return statistics_; }

private:
  enum class state : std::uint8_t { idle, waiting, lingering, pausing };
  struct past_request {
    std::uint16_t tid = 0;
    eoj object;
    mono_time sent_at{};
    std::uint32_t job_number = 0;
    bool answered = false;
    bool used = false;
  };
  static constexpr std::size_t past_max = 8;

  bool all_settled() const;
  bool request_settled() const;
  void send_next(mono_time now, std::vector<datagram>& out);
  void take_values(const frame_view& frame);
  taken take_answer(mono_time now, const frame_view& frame);
  taken take_past(mono_time now, const frame_view& frame);
  bool overtaken(const past_request& r) const;
  past_request* find_past(mono_time now, const frame_view& frame);
  void finish(mono_time now, job_end end);
  bool failed_try(mono_time now, std::vector<datagram>& out);
  void count_rtt(millis rtt);
  void learn_from_full_answer();
  void learn_from_short_answer(std::size_t settled);
  millis timeout() const;

  std::string address_;
  state state_ = state::idle;
  mono_time deadline_ = never;
  mono_time ready_at_{};
  job job_;
  std::uint32_t job_number_ = 0;
  property_bag values_;
  job_end end_ = job_end::answered;

  std::uint16_t tid_ = 0;
  mono_time sent_at_{};
  std::array<epc_code, properties_max> asked_{};  // in the request that is out
  std::size_t asked_count_ = 0;
  std::uint8_t tries_used_ = 0;                   // of the request that is out
  std::array<past_request, past_max> past_{};
  std::size_t past_next_ = 0;

  std::size_t capacity_ = properties_start;
  std::size_t batch_ = properties_start;      // of this job; below capacity_ after silence
  std::size_t silent_at_ = 0;                 // the smallest request of this job that was met with silence
  std::uint8_t smaller_helped_ = 0;           // jobs in a row
  std::size_t proven_ = 0;                    // the largest request that was answered whole
  std::uint32_t full_answers_ = 0;
  std::uint32_t growth_after_ = growth_after_min;
  millis rtt_recent_max_{0};
  node_statistics statistics_;
};

}  // namespace tomoshibi::drivers::echonet
