// A press that is announced by a host of which little is known yet: it must not wait until it is.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/frame.hpp"

#include <optional>
#include <string_view>

namespace tomoshibi::drivers::echonet {

// If the frame announces that an emergency button or first-aid sensor is active: a reading of it. `node`: its identity, or
// "ip:<address>" while that is not known.
std::optional<reading> emergency_notice(std::string_view node, const frame_view& frame);

}  // namespace tomoshibi::drivers::echonet
