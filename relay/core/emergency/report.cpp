#include "relay/core/emergency/report.hpp"

#include <algorithm>
#include <numeric>

namespace tomoshibi::relay {
namespace {

constexpr std::uint64_t lost_after_us = 30'000'000;
static_assert(press_lost_after == millis{lost_after_us / 1000});

// Of some presses, as they are counted.
struct gathering {
  press_tally tally;
  std::array<std::vector<std::uint32_t>, press_hops> delays;

  void add(const press_row& p, wall_at now) {
    ++tally.presses;
    switch (outcome_of(p, now)) {
      case press_outcome::open: ++tally.open; break;
      case press_outcome::delivered: ++tally.delivered; break;
      case press_outcome::late: ++tally.late; break;
      case press_outcome::never: ++tally.never; break;
    }
    if (p.stage != press_stage::accepted) return;
    const bool reported = p.reported.has_value() && p.reported_path != press_path::none;
    if (!reported) ++tally.unreported;
    else if (p.interrupted) ++tally.interrupted;
    if ((reported ? p.reported_path : p.path) == press_path::direct) ++tally.direct;
    if (!reported) return;
    for (std::size_t i = 0; i < press_hops; ++i)
      if (const auto us = hop_us(p, static_cast<press_hop>(i))) delays[i].push_back(*us);
  }

  press_tally take() {
    for (std::size_t i = 0; i < press_hops; ++i) tally.hops[i] = summary_of(std::move(delays[i]));
    return tally;
  }
};

struct gatherings {
  gathering real, drills;
  void add(const press_row& p, wall_at now) { (p.test ? drills : real).add(p, now); }
  press_counts take() { return {real.take(), drills.take()}; }
};

}  // namespace

press_outcome outcome_of(const press_row& p, wall_at now) {
  if (p.stage != press_stage::accepted) {
    const bool over = p.was_undelivered || p.alarmed || p.closed || now - p.known >= press_lost_after;
    return over ? press_outcome::never : press_outcome::open;
  }
  if (p.was_undelivered) return press_outcome::late;
  const bool timed = p.reported && !p.interrupted && p.accepted_us;
  const bool late = timed ? *p.accepted_us >= lost_after_us
                          : p.accepted.value_or(p.known) - p.known >= press_lost_after;
  return late ? press_outcome::late : press_outcome::delivered;
}

std::string_view name_of(press_outcome outcome) {
  switch (outcome) {
    case press_outcome::open: return "open";
    case press_outcome::delivered: return "delivered";
    case press_outcome::late: return "late";
    case press_outcome::never: break;
  }
  return "never";
}

delay_summary summary_of(std::vector<std::uint32_t> all) {
  if (all.empty()) return {};
  std::ranges::sort(all);
  // Nearest rank: the smallest value that at least this share of all does not exceed.
  const auto rank = [&all](std::size_t percent) { return all[(all.size() * percent + 99) / 100 - 1]; };
  const auto sum = std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  return {.n = all.size(),
          .min_us = all.front(),
          .mean_us = static_cast<std::uint32_t>((sum + all.size() / 2) / all.size()),
          .p50_us = rank(50),
          .p95_us = rank(95),
          .p99_us = rank(99),
          .max_us = all.back()};
}

std::optional<double> press_tally::loss_bound() const {
  if (lost() != 0 || delivered < 3) return std::nullopt;
  return 3.0 / static_cast<double>(delivered);
}

emergency_report make_report(std::span<const press_row> rows, wall_at now) {
  gatherings all;
  std::map<home_id, gatherings> homes;
  for (const auto& p : rows) {
    all.add(p, now);
    homes[p.home].add(p, now);
  }
  emergency_report out;
  out.all = all.take();
  for (auto& [home, counted] : homes) out.homes.emplace(home, counted.take());
  return out;
}

}  // namespace tomoshibi::relay
