// The latest time that this relay's clock can mean, for telling slots of a wrong future from good ones.
//
// A clock that is set back (a wrong time server, a machine that woke up with another date) must not make the relay drop, as
// slots of the future, what gateways with a right clock send: what was dropped is acknowledged and gone. So the horizon
// never goes back while the relay runs, and begins at the last sign of life that the run before has stored.
#pragma once

#include "protocol/base/time.hpp"

#include <algorithm>
#include <optional>

namespace tomoshibi::relay {

class wall_horizon {
public:
  void on_start(mono_time now, std::optional<wall_at> alive) {
    if (alive) ahead_ = std::max(ahead_, *alive - wall_at{now.time_since_epoch()});
  }
  wall_at at(mono_time now, wall_at wall) {
    ahead_ = std::max(ahead_, wall - wall_at{now.time_since_epoch()});
    return wall_at{now.time_since_epoch()} + ahead_;
  }

private:
  millis ahead_ = millis::min() / 2;  // of the calendar before the monotonic clock; half, so that sums do not overflow
};

}  // namespace tomoshibi::relay
