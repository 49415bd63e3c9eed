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
  virtual void on_committed(const relay::write_batch& /*batch*/) {}
  virtual void on_relay_frame(std::uint32_t /*home*/, const wire::message& /*sent*/) {}
  virtual void on_mail_accepted(const relay::mail& /*what*/, wall_at /*at*/) {}
};

// What a checker found wrong: one line each, enough to begin looking.
using violations = std::vector<std::string>;

}  // namespace tomoshibi::sim
