// After the calendar was found to be far ahead: takes back slots made for a time that has not come yet.
//
// Records of slots from the present one on that the relay cannot have are rewritten as CLOCK_STEPPED events (their
// sequences stay), a gap that reaches into the future is cut, and the aggregator opens the present slot again.
// What had been told of the present slot, and the energy of the slots taken back, goes into the present slot: energy is
// never lost; times of use that were told for the future are, because when they were is not known.
//
// Slots ahead that the relay may have (acknowledged; sent and not yet answered; loaded at the start and no welcome since)
// are not made again: the open slot then waits at the first one that it has not, and a welcome is reason to look again.
// But never longer than catch_up_max: the relay does not keep slots of the future, and a home must not stay unseen for
// years because a clock was once wrong.
#pragma once

#include "firmware/core/aggregator.hpp"
#include "firmware/core/outbox.hpp"

namespace tomoshibi::firmware {

inline constexpr std::int32_t catch_up_max = slots_per_day;

// `present` is before the open slot of `slots`. Returns true if the open slot was moved. Errors of the store: nothing
// is changed; to be tried again later.
result<bool> catch_up(slot_index present, outbox& log, aggregator& slots);

}  // namespace tomoshibi::firmware
