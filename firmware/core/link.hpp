// What a core asks of a connection to the relay: the device channel's and the emergency lane's shells are the same.
#pragma once

#include "protocol/base/bytes.hpp"

#include <cstdint>
#include <variant>

namespace tomoshibi::firmware {

// One connection attempt and the connection it may become. Numbered 1, 2, 3 ...: an event that carries an older number
// than the last link_open is ignored, so a shell need not cancel callbacks in flight.
using link_number = std::uint32_t;

struct link_open {                          // connect, TLS, then on_link_open or on_link_closed
  link_number link = 0;
  bool with_certificate = false;            // a session held from before is not resumed
};
struct link_send {                          // whole frames, in order; the link is open
  link_number link = 0;
  bytes data;
};
struct link_close {                         // send what is queued, then close; no event of this link is awaited any more
  link_number link = 0;
};
using link_action = std::variant<link_open, link_send, link_close>;

}  // namespace tomoshibi::firmware
