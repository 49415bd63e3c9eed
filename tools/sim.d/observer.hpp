// What happens in the simulated world that a checker may want to see. A checker is a file of its own in checkers/ and
// knows nothing of the cores' insides: it sees what was durable, sent and mailed, and the truth.
#pragma once

#include "protocol/base/time.hpp"
#include "relay/ports/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tomoshibi::sim {

class observer {
public:
  virtual ~observer() = default;
  // Durable now; `at`: when that was known. A commit that nobody heard of is told at the relay's next start.
  virtual void on_committed(const relay::write_batch& /*batch*/, wall_at /*at*/) {}
  // The relay's own clock is wrong by so much from now on; all times told here are of the true calendar.
  virtual void on_relay_clock(wall_at /*at*/, millis /*wrong_by*/) {}
  virtual void on_commit_failed(wall_at /*at*/) {}
  virtual void on_relay_up(wall_at /*at*/) {}
  virtual void on_relay_down(wall_at /*at*/) {}
  virtual void on_session(std::uint32_t /*home*/) {}  // a new connection of this home
  virtual void on_gateway_frame(std::uint32_t /*home*/, const wire::message& /*sent*/) {}  // hello, records only
  virtual void on_relay_frame(std::uint32_t /*home*/, const wire::message& /*sent*/) {}    // welcome, ack only
  virtual void on_mail_submitted(const relay::mail& /*what*/, wall_at /*at*/) {}
  virtual void on_mail_accepted(const relay::mail& /*what*/, wall_at /*at*/, bool /*answer_lost*/) {}
  virtual void on_mail_rejected(const relay::mail& /*what*/) {}  // for good
};

// What a checker found wrong: one line each, enough to begin looking.
using violations = std::vector<std::string>;
inline constexpr std::size_t violations_max = 50;  // of one checker; the first ones matter

}  // namespace tomoshibi::sim
