#include "relay/core/quiet_rule.hpp"

#include <algorithm>

namespace tomoshibi::relay {

quiet_verdict quiet_judge::feed(slot_index slot, slot_state state) {
  if (slot <= through_) return {};
  through_ = slot;
  if (state == slot_state::unknown || slot < since_) {
    if (state == slot_state::on) begin_after(slot);
    return {};
  }
  if (state == slot_state::off) {
    ++off_;
    return open_if_due();
  }
  const bool was_open = open_;
  const slot_index since = since_;
  begin_after(slot);
  if (!was_open) return {};
  return quiet_closed{.since = since, .by = slot};
}

quiet_verdict quiet_judge::open_if_due() {
  if (open_ || off_ < off_needed_) return {};
  open_ = true;
  return quiet_opened{.since = since_, .at = through_, .last_use = last_use_, .off_slots = off_,
                      .unknown_slots = through_ + 1 - since_ - off_};
}

void quiet_judge::begin_after(slot_index slot) {
  since_ = std::max(slot, watch_slot_) + 1;
  last_use_ = slot >= watch_slot_ ? std::optional{slot} : std::nullopt;
  through_ = std::max(through_, slot);
  off_ = 0;
  open_ = false;
}

void quiet_judge::begin_inside(slot_index since, std::optional<slot_index> last_use) {
  since_ = since;
  last_use_ = last_use;
  through_ = since - 1;
  off_ = 0;
  open_ = true;
}

void quiet_judge::count_after(slot_index slot) {
  since_ = slot + 1;
  through_ = std::max(through_, slot);
  off_ = 0;
  open_ = false;
}

}  // namespace tomoshibi::relay
