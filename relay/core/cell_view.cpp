#include "relay/core/cell_view.hpp"

#include <algorithm>

namespace tomoshibi::relay {
cell_view::cell_view(store& from, commit_queue& commits, home_id home, appliance_id appliance)
    : from_(from), home_(home), appliance_(appliance) {
  commits.for_each_pending_of(home_, [this](const write& w) {
    if (const auto* s = std::get_if<slots_write>(&w)) {
      for (const auto& a : s->slot.appliances)
        if (a.appliance == appliance_) waiting_.push_back({.first = s->slot.slot, .cell = cell_from(s->slot, a)});
    } else if (const auto* g = std::get_if<gap_write>(&w)) {
      if (std::ranges::find(g->gap.appliances, appliance_) != g->gap.appliances.end())
        waiting_.push_back({.first = g->gap.first_slot, .count = static_cast<std::int32_t>(g->gap.count),
                            .cell = cell_from(g->gap), .only_absent = true});
    }
  });
}

result<const day_cells*> cell_view::read(utc_day day) {
  const auto known = days_.find(day);
  if (known != days_.end()) return &known->second;
  auto cells = from_.read_day(home_, appliance_, day);
  if (!cells) return std::unexpected(cells.error());
  const slot_index first = first_slot_of(day);
  for (const waiting& w : waiting_) {
    const slot_index end = std::min(first + slots_per_day, w.first + w.count);
    for (slot_index s = std::max(first, w.first); s < end; ++s) {
      slot_cell& held = (*cells)[static_cast<std::size_t>(s - first)];
      if (w.only_absent ? !held.present : replaces(held, w.cell)) held = w.cell;
    }
  }
  return &days_.emplace(day, *cells).first->second;
}

result<std::optional<utc_day>> cell_view::newest_day() {
  auto newest = from_.newest_day(home_, appliance_);
  if (!newest) return newest;
  for (const waiting& w : waiting_) {
    const utc_day day = day_of(w.first + w.count - 1);
    if (!*newest || **newest < day) *newest = day;
  }
  return newest;
}

}  // namespace tomoshibi::relay
