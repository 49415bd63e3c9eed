// A home's day as its people know it: 96 cells of a local date, put together from the two UTC days it touches.
#pragma once

#include "relay/ports/store.hpp"

#include <chrono>

namespace tomoshibi::relay {

// First slot of a local date in a zone with a fixed offset (a multiple of 15 minutes).
slot_index first_slot_of(std::chrono::sys_days local_date, std::int32_t zone_min);
// The local date that a slot lies in.
std::chrono::sys_days local_date_of(slot_index slot, std::int32_t zone_min);

// Cells of the slots first_slot_of(date) .. + 95, in order. Errors: those of the store.
result<day_cells> read_local_day(store& from, home_id home, appliance_id appliance, std::chrono::sys_days local_date,
                                 std::int32_t zone_min);

}  // namespace tomoshibi::relay
