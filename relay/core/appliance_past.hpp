// What the stored slots of one appliance say of its past: read backwards as far as needed, then forwards into the judge.
#pragma once

#include "relay/core/cell_view.hpp"
#include "relay/core/quiet_rule.hpp"

#include <concepts>

namespace tomoshibi::relay {

struct appliance_past {
  std::optional<slot_index> through;        // newest slot present
  std::optional<slot_index> known_through;  // newest slot ON or OFF
  std::optional<slot_index> last_on;
  std::optional<slot_index> gap_through;    // newest slot present that nobody read in (gateway off, clock)
};

// Reads back from the newest slot to the last ON, not further than `stop` nor than `days_max` days.
result<appliance_past> look_back(cell_view& cells, slot_index stop, std::int32_t days_max);

// The last ON slot in [stop, before).
result<std::optional<slot_index>> last_on_before(cell_view& cells, slot_index before, slot_index stop,
                                                 std::int32_t days_max);

// Feeds the present slots of [from, through]; tell(verdict) is called after each and may begin the judge again.
template <std::invocable<const quiet_verdict&> F>
status feed_forward(cell_view& cells, quiet_judge& judge, slot_index from, slot_index through, F tell) {
  for (slot_index s = from; s <= through;) {
    const utc_day day = day_of(s);
    const auto held = cells.read(day);
    if (!held) return std::unexpected(held.error());
    const slot_index first = first_slot_of(day);
    for (; s <= through && s < first + slots_per_day; ++s) {
      const slot_cell& cell = (**held)[static_cast<std::size_t>(s - first)];
      if (cell.present) tell(judge.feed(s, cell.state));
    }
  }
  return {};
}

}  // namespace tomoshibi::relay
