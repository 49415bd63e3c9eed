// One appliance's slots as they will be once everything taken is durable: the store, overlaid with what waits for commit.
// Lives within one turn; reads a day once.
#pragma once

#include "relay/core/commit_queue.hpp"
#include "relay/ports/store.hpp"

#include <map>
#include <vector>

namespace tomoshibi::relay {

class cell_view {
public:
  cell_view(store& from, commit_queue& commits, home_id home, appliance_id appliance);

  result<const day_cells*> read(utc_day day);
  result<std::optional<utc_day>> newest_day();
  std::size_t days_read() const { return days_.size(); }

private:
  struct waiting {                 // a slot, or a run of them that fills only what is absent
    slot_index first;
    std::int32_t count = 1;
    slot_cell cell;
    bool only_absent = false;
  };

  store& from_;
  home_id home_;
  appliance_id appliance_;
  std::vector<waiting> waiting_;   // oldest first
  std::map<utc_day, day_cells> days_;
};

}  // namespace tomoshibi::relay
