// When we cannot judge: pure functions of the newest slot that is known (ON or OFF) and the time.
//
// A home is blind from the slot after the newest known one of its ruled appliances. It is called blind once that slot's
// start is as long ago as the home's settings say, and seen again once the newest known slot is at most
// `sight_lag_slots` old: a backlog that is still being sent neither closes an episode nor opens the next one.
#pragma once

#include "relay/core/ledger.hpp"
#include "relay/core/limits.hpp"

#include <algorithm>

namespace tomoshibi::relay {

// First slot that is not known; `watch_slot` is the one in which watching began.
inline slot_index unseen_since(std::optional<slot_index> known_through, slot_index watch_slot) {
  return known_through ? std::max(*known_through + 1, watch_slot) : watch_slot;
}

inline wall_at unseen_due(slot_index since, millis after, const limits& l) {
  return start_of(since) + std::max(after, l.blind_after_min);
}

inline bool seen_now(std::optional<slot_index> known_through, wall_at now, const limits& l) {
  return known_through && *known_through >= slot_of(now) - l.sight_lag_slots;
}

// What is known when a home is called blind since `since`.
struct blind_facts {
  slot_index since;
  bool has_gateway = false;
  bool line_up = false;                         // of at least one of its gateways
  std::optional<slot_index> gateway_off;        // newest slot that a gateway reported to have been off in
  std::optional<slot_index> devices_unseen;     // newest slot that arrived without anything known
  slot_index relay_off_until;                   // slot in which this relay started
};
blind_cause cause_of(const blind_facts& f);

}  // namespace tomoshibi::relay
