// The simulator's only source of time: one heap of events, ordered by virtual time and then by the order of pushing, so
// that the same seed runs the same way every time.
#pragma once

#include "protocol/base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tomoshibi::sim {

enum class event_kind : std::uint8_t {
  home_wake,        // the home's devices and its resident
  to_gateway,       // a datagram from the home's node; payload
  to_home,          // a datagram from the gateway; payload
  gateway_wake,     // the gateway's next_wake()
  gateway_restart,  // power comes back
  clock_tick,       // the gateway's shell looks at the machine's clock
  line_opened,      // the dialled connection is open
  line_refused,     // it could not be opened
  line_to_relay,    // the next bytes of the line arrive
  line_to_gateway,
  line_closed_to_relay,
  line_closed_to_gateway,
  relay_wake,
  relay_restart,
  relay_stopped,    // its patience after a stop in good order is over
  commit_done,
  mail_done,        // payload: number of the mail
  fault_begins,     // payload: number in the plan
  fault_ends,
  calm,             // faults are over
  inspect,          // bounds are looked at
};

struct event {
  mono_time at{};
  std::uint64_t order = 0;
  std::uint32_t home = 0;
  std::uint32_t payload = 0;
  std::uint32_t life = 0;  // of the boot or connection it belongs to: events of a former life are dropped
  event_kind kind{};
};

class event_heap {
public:
  void push(event e) {
    e.order = ++order_;
    heap_.push_back(e);
    std::ranges::push_heap(heap_, later);
  }
  event pop() {
    std::ranges::pop_heap(heap_, later);
    const event e = heap_.back();
    heap_.pop_back();
    return e;
  }
  bool empty() const { return heap_.empty(); }
  mono_time next() const { return heap_.empty() ? never : heap_.front().at; }
  std::uint64_t pushed() const { return order_; }

private:
  static bool later(const event& a, const event& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  std::vector<event> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace tomoshibi::sim
