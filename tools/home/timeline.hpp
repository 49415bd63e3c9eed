// What the devices do when: the record read through the mapping. Pure; the same input gives the same timeline.
#pragma once

#include "tools/home/mapping.hpp"
#include "tools/home/record.hpp"

#include <vector>

namespace tomoshibi::home {

struct device_change {
  wall_at at{};
  std::uint16_t device = 0;              // index into mapping::devices
  bool used = false;
  std::optional<std::uint32_t> watts;    // with meaning watts
  bool operator==(const device_change&) const = default;
};

// By time. An event channel's use begins at the event (included) and ends hold_s later (excluded); events within a hold
// prolong it. Errors: config_invalid: a channel of the mapping that the record does not have, a value that the meaning
// does not allow.
result<std::vector<device_change>> make_timeline(const record& from, const mapping& map);

}  // namespace tomoshibi::home
