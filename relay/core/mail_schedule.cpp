#include "relay/core/mail_schedule.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace tomoshibi::relay {

wall_at after_quiet_hours(wall_at at, const quiet_hours& quiet, std::int32_t zone_min) {
  if (quiet.from_min == quiet.until_min) return at;
  const auto zone = std::chrono::minutes{zone_min};
  const wall_at midnight = std::chrono::floor<std::chrono::days>(at + zone) - zone;
  const millis into_day = at - midnight;
  const millis from = std::chrono::minutes{quiet.from_min};
  const millis until = std::chrono::minutes{quiet.until_min};
  if (from < until) return into_day >= from && into_day < until ? midnight + until : at;
  if (into_day < until) return midnight + until;
  return into_day >= from ? midnight + 24h + until : at;
}

millis retry_delay(std::uint32_t attempts) {
  static constexpr std::array<millis, 4> delays{1min, 5min, 15min, 60min};
  const std::size_t i = std::min<std::size_t>(attempts == 0 ? 0 : attempts - 1, delays.size() - 1);
  return delays[i];
}

}  // namespace tomoshibi::relay
