#include "relay/core/appliance_past.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

// Walks present cells backwards from `before` to `stop`; visit(slot, cell) answers false to end the walk.
template <class F>
status walk_back(cell_view& cells, slot_index before, slot_index stop, std::int32_t days_max, F visit) {
  stop = std::max(stop, first_slot_of(day_of(before)) - days_max * slots_per_day);
  for (slot_index s = before - 1; s >= stop;) {
    const utc_day day = day_of(s);
    const auto held = cells.read(day);
    if (!held) return std::unexpected(held.error());
    const slot_index first = first_slot_of(day);
    for (; s >= stop && s >= first; s = s - 1) {
      const slot_cell& cell = (**held)[static_cast<std::size_t>(s - first)];
      if (cell.present && !visit(s, cell)) return {};
    }
  }
  return {};
}

void take_first(std::optional<slot_index>& field, slot_index s) {
  if (!field) field = s;
}

}  // namespace

result<appliance_past> look_back(cell_view& cells, slot_index stop, std::int32_t days_max) {
  appliance_past past;
  const auto newest = cells.newest_day();
  if (!newest) return std::unexpected(newest.error());
  if (!*newest) return past;
  const slot_index end = first_slot_of(**newest) + slots_per_day;
  const auto walked = walk_back(cells, end, stop, days_max, [&past](slot_index s, const slot_cell& cell) {
    take_first(past.through, s);
    if (cell.state != slot_state::unknown) take_first(past.known_through, s);
    else if (cell.readings_expected == 0) take_first(past.gap_through, s);
    if (cell.state == slot_state::on) take_first(past.last_on, s);
    return cell.state != slot_state::on;
  });
  if (!walked) return std::unexpected(walked.error());
  return past;
}

result<std::optional<slot_index>> last_on_before(cell_view& cells, slot_index before, slot_index stop,
                                                 std::int32_t days_max) {
  std::optional<slot_index> found;
  const auto walked = walk_back(cells, before, stop, days_max, [&found](slot_index s, const slot_cell& cell) {
    if (cell.state == slot_state::on) found = s;
    return cell.state != slot_state::on;
  });
  if (!walked) return std::unexpected(walked.error());
  return found;
}

}  // namespace tomoshibi::relay
