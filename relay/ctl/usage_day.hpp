// One local day of one home, as the plan's table has it: a row for each appliance, a column for each quarter of an hour.
#pragma once

#include "relay/core/ledger.hpp"
#include "relay/ctl/registry.hpp"

#include <chrono>

namespace tomoshibi::ctl {

struct usage_row {
  appliance_id appliance{};
  std::string label;
  bool removed = false;
  relay::day_cells cells{};
};

struct usage_day {
  relay::home where;
  std::string date;            // 2026-01-31, local
  slot_index first;            // begins at local midnight
  std::vector<usage_row> rows; // appliances watched now, and removed ones that have something on this day
};

result<usage_day> read_usage(registry& r, const relay::home& h, std::chrono::sys_days date);

std::string usage_as_hours(const usage_day& d);  // two halves of 12 hours, one character a slot
std::string usage_as_table(const usage_day& d);  // the plan's own form: 96 columns in words
std::string usage_as_json(const usage_day& d);   // one object a line for each appliance

}  // namespace tomoshibi::ctl
