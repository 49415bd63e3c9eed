#include "tools/sim.d/habits.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr millis day = 24h;
constexpr std::uint32_t leave_per_mille = 60;  // chance, each day, that a quiet stretch begins
constexpr int quiet_days_max = 6;

std::vector<use> one_day(prng& random, const habit& how, wall_at midnight, wall_at not_before) {
  std::vector<use> uses;
  for (int i = 0; i < how.uses_per_day; ++i) {
    const auto window = millis{std::chrono::hours{how.last_hour - how.first_hour}};
    const wall_at from = midnight + std::chrono::hours{how.first_hour} + millis{random.between(0, window.count())};
    uses.push_back({from, from + millis{random.between(how.shortest.count(), how.longest.count())}});
  }
  std::ranges::sort(uses, {}, &use::from);
  std::vector<use> apart;
  for (const use& u : uses) {
    const wall_at free_from = apart.empty() ? not_before : apart.back().until + 1ms;
    if (u.from >= free_from) apart.push_back(u);
  }
  return apart;
}

}  // namespace

std::vector<use> live(prng random, const habit& how, wall_at start, int days) {
  std::vector<use> uses;
  const wall_at end = start + days * day;
  wall_at free_from = start;
  for (int d = 0; d < days;) {
    if (random.chance(leave_per_mille)) {
      d += static_cast<int>(random.between(1, quiet_days_max));
      continue;
    }
    for (use u : one_day(random, how, start + d * day, free_from)) {
      u.until = std::min(u.until, end);
      if (u.from < u.until) uses.push_back(u);
    }
    if (!uses.empty()) free_from = uses.back().until + 1ms;
    ++d;
  }
  return uses;
}

std::vector<bool> on_slots(const std::vector<use>& uses, wall_at start, int days, millis later) {
  const slot_index first = slot_of(start);
  std::vector<bool> on(static_cast<std::size_t>(days) * slots_per_day, false);
  for (const use& u : uses)
    for (slot_index s = slot_of(u.from + later); start_of(s) < u.until + later; ++s) {
      const auto i = static_cast<std::size_t>(s - first);
      if (i < on.size()) on[i] = true;
    }
  return on;
}

}  // namespace tomoshibi::sim
