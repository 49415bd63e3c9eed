#include "relay/core/history.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

constexpr std::int32_t slot_min = 15;

std::int32_t slots_ahead_of_utc(std::int32_t zone_min) { return zone_min / slot_min; }

}  // namespace

slot_index first_slot_of(std::chrono::sys_days local_date, std::int32_t zone_min) {
  const auto days = static_cast<std::int32_t>(local_date.time_since_epoch().count());
  return {days * slots_per_day - slots_ahead_of_utc(zone_min)};
}

std::chrono::sys_days local_date_of(slot_index slot, std::int32_t zone_min) {
  return std::chrono::sys_days{std::chrono::days{static_cast<int>(day_of(slot + slots_ahead_of_utc(zone_min)))}};
}

result<day_cells> read_local_day(store& from, home_id home, appliance_id appliance, std::chrono::sys_days local_date,
                                 std::int32_t zone_min) {
  const slot_index first = first_slot_of(local_date, zone_min);
  const utc_day day = day_of(first);
  auto early = from.read_day(home, appliance, day);
  if (!early) return early;
  const std::int32_t skip = first - first_slot_of(day);
  if (skip == 0) return early;
  const auto late = from.read_day(home, appliance, utc_day{static_cast<std::int32_t>(day) + 1});
  if (!late) return late;
  day_cells out;
  std::copy(early->begin() + skip, early->end(), out.begin());
  std::copy(late->begin(), late->begin() + skip, out.end() - skip);
  return out;
}

}  // namespace tomoshibi::relay
