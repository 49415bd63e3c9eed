// Lets handshakes through one at a time, so that thousands of gateways that come back together do not hold up those that are
// already in. A full handshake costs milliseconds of processor time; the event loop runs whatever else is ready between two.
//
// Those that have begun go first: what was spent on them is not lost to a time-out while newcomers are served.
#pragma once

#include "protocol/adapters/event_loop.hpp"

#include <deque>
#include <memory>

namespace tomoshibi {

class handshake_gate : public std::enable_shared_from_this<handshake_gate> {
public:
  explicit handshake_gate(event_loop& loop) : loop_(loop) {}

  // `step` runs in a later step of the loop, after others that wait. It may queue again.
  void queue(bool begun, loop_handler step);
  std::size_t waiting() const { return begun_.size() + fresh_.size(); }

private:
  void run();
  void arm();

  event_loop& loop_;
  std::deque<loop_handler> begun_;
  std::deque<loop_handler> fresh_;
  bool armed_ = false;
};

}  // namespace tomoshibi
