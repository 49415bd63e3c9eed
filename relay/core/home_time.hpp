// Times as a family reads them: in the home's zone, in Japanese or English, as exact as a slot and no more.
#pragma once

#include "protocol/base/slot.hpp"
#include "relay/core/directory.hpp"

#include <cstdint>
#include <string>

namespace tomoshibi::relay {

// Everything a line about time needs to know. `now` decides whether the year is shown (only when it is another one).
struct home_time {
  std::int32_t zone_min = 540;
  language lang = language::ja;
  wall_at now{};

  std::string date(wall_at t) const;         // 11月18日（水）            Wed, Nov 18
  std::string moment(wall_at t) const;       // 11月18日（水）21時05分     Wed, Nov 18, 21:05
  std::string second(wall_at t) const;       // 11月18日（水）21時05分09秒 Wed, Nov 18, 21:05:09 (of presses only)
  std::string slot(slot_index s) const;      // 11月18日（水）21時00分〜21時15分   Wed, Nov 18, 21:00-21:15
  std::string duration(millis length) const; // 1日と2時間15分           1 day 2 hours 15 minutes; whole minutes, rounded down
  std::string zone() const;                  // UTC+9, UTC+5:30, UTC-3:30, UTC
};

}  // namespace tomoshibi::relay
