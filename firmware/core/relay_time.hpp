// The relay's word of what time it is, and how long we waited for it.
#pragma once

#include "protocol/base/time.hpp"

namespace tomoshibi::firmware {

struct relay_time {
  wall_at told{};
  millis round_trip{};
  mono_time heard{};           // when it came
};

}  // namespace tomoshibi::firmware
