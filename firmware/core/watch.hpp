// Which devices are read, which appliance a device serves, and whether a reading counts as ON.
//
// An appliance is served by every device whose object matches (instance byte 0 of eoj = any) and whose node matches
// (empty = any). Where a home has several devices of one class the node is to be named: readings of all that match count
// as readings of the appliance. One device may serve several appliances.
#pragma once

#include "drivers/driver.hpp"
#include "protocol/wire/messages.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace tomoshibi::firmware {

// A reading cut down to what an appliance's slots are made from.
struct appliance_reading {
  std::optional<bool> on;                  // by the appliance's rule; nothing: the reading does not tell
  std::optional<std::uint32_t> energy_wh;  // counter
  std::uint64_t meter = 0;                 // which device the counter is of (hash of its key)
  bool polled = true;
  bool on_told = false;                    // the end of a poll, of which an earlier part told whether it is on
};

// Errors: config_invalid; the detail names the key and what is allowed.
status check_config(const wire::config& config);

drivers::read_plan read_plan_for(const wire::config& config);

bool serves(const wire::watched_appliance& appliance, std::string_view device, std::uint32_t eoj);

appliance_reading reduce(const wire::watched_appliance& appliance, const drivers::reading& reading);

// True if a reading under one definition says nothing under the other (another device or another rule).
bool means_other(const wire::watched_appliance& a, const wire::watched_appliance& b);

}  // namespace tomoshibi::firmware
