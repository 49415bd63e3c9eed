// The three-day rule for one appliance, as a machine that is fed stored slots in ascending order.
//
// U is the last slot with use, or the slot in which watching began if that is later. Slots after U that are known OFF are
// counted; UNKNOWN and absent ones count for nothing. When the count reaches `off_needed` an episode opens, keyed by the
// slot after U; the next ON slot closes it. What was fed before, in which portions, and how often the program was
// restarted makes no difference: only the slots do.
#pragma once

#include "protocol/base/slot.hpp"

#include <limits>
#include <optional>
#include <variant>

namespace tomoshibi::relay {

struct quiet_opened {
  slot_index since;                   // the slot after U: the episode's key
  slot_index at;                      // the slot with which the count was reached
  std::optional<slot_index> last_use; // nothing: none since watching began
  std::int32_t off_slots = 0;
  std::int32_t unknown_slots = 0;     // UNKNOWN or absent, from `since` to `at`
};
struct quiet_closed {
  slot_index since;
  slot_index by;
};
using quiet_verdict = std::variant<std::monostate, quiet_opened, quiet_closed>;

inline constexpr slot_index before_all_slots{std::numeric_limits<std::int32_t>::min() / 2};

class quiet_judge {
public:
  // watch_slot: the slot in which watching began; it does not count, those after it do. off_needed >= 1.
  quiet_judge(slot_index watch_slot, std::int32_t off_needed)
      : watch_slot_(watch_slot), off_needed_(off_needed), since_(watch_slot + 1) {}

  // Slots in ascending order; one that is not after through() is not judged.
  quiet_verdict feed(slot_index slot, slot_state state);

  // Begins again behind a use at `slot`.
  void begin_after(slot_index slot);
  // Begins to count anew behind `slot`, where this stretch's episode ended without a use that is still to be seen.
  void count_after(slot_index slot);
  // Begins again inside an open episode.
  void begin_inside(slot_index since, std::optional<slot_index> last_use);

  bool open() const { return open_; }
  slot_index since() const { return since_; }        // the first slot that counts
  std::int32_t off_slots() const { return off_; }
  slot_index through() const { return through_; }    // the last slot fed
  slot_index watch_slot() const { return watch_slot_; }
  std::int32_t off_needed() const { return off_needed_; }

private:
  quiet_verdict open_if_due();

  slot_index watch_slot_;
  std::int32_t off_needed_;
  slot_index since_;
  slot_index through_ = before_all_slots;
  std::optional<slot_index> last_use_;
  std::int32_t off_ = 0;
  bool open_ = false;
};

}  // namespace tomoshibi::relay
