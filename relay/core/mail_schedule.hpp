// When a mail may go: quiet hours of its reader, and the time to the next attempt. Pure.
#pragma once

#include "relay/core/directory.hpp"

#include <optional>

namespace tomoshibi::relay {

// The first moment at or after `at` that is outside the quiet hours, in a zone with a fixed offset.
wall_at after_quiet_hours(wall_at at, const quiet_hours& quiet, std::int32_t zone_min);

// How long to wait after so many failed attempts (1 = the first): 1, 5, 15, 60 min, then hourly.
millis retry_delay(std::uint32_t attempts);

}  // namespace tomoshibi::relay
