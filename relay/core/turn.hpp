// One turn of the relay core: when it is, and where its actions go. Lives on the stack of the event that began it.
#pragma once

#include "protocol/base/time.hpp"
#include "relay/core/session_io.hpp"

namespace tomoshibi::relay {

struct turn {
  mono_time now;
  wall_at wall;
  output& out;
};

}  // namespace tomoshibi::relay
