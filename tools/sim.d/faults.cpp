#include "tools/sim.d/faults.hpp"

#include "tools/sim.d/plan.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr std::uint32_t kind_per_mille = 350;   // chance that a run has a kind of fault
constexpr std::uint32_t whole_run_per_mille = 500;
constexpr std::uint32_t trait_per_mille = 500;  // chance that a home has a trait the run has
constexpr millis day = 24h;

enum class scope : std::uint8_t { home, all, whole_run };

struct range {
  std::string_view name;
  scope where = scope::home;
  millis between_low{};    // mean time between two of them, for one home or for the relay
  millis between_high{};
  millis longest{};        // drawn longest lies between the shortest and this
  std::int64_t amount_low = 1;
  std::int64_t amount_high = 1;
  millis shortest{1'000};
};

// By fault_kind.
constexpr std::array<range, fault_kinds> ranges{{
    {"gateway_off", scope::home, day * 2, day * 15, day * 2},
    {"gateway_stop", scope::home, day * 3, day * 15, 1h},
    {"gateway_cut_at_action", scope::home, day * 2, day * 10, 1h, 1, 40},
    {"gateway_commit_lost", scope::home, day * 2, day * 10, 1h, 1, 4},
    {"gateway_commit_unheard", scope::home, day * 2, day * 10, 1h, 1, 4},
    {"gateway_commit_torn", scope::home, day * 2, day * 10, 1h, 1, 4},
    {"gateway_disk_fails", scope::home, day * 3, day * 15, 12h, 1, 4, 1min},
    {"gateway_disk_full", scope::home, day * 3, day * 15, 12h, 1, 4, 1min},
    {"gateway_reads_fail", scope::home, day * 3, day * 15, 1h, 1, 4},
    {"gateway_row_corrupt", scope::home, day * 5, day * 20, 1min},
    {"gateway_disk_ruined", scope::home, day * 10, day * 30, 1min},
    {"clock_drift", scope::whole_run, {}, {}, {}, 1, 50},
    {"clock_battery", scope::whole_run},
    {"clock_step", scope::home, day * 3, day * 20, 6h, 500, 2 * 86'400'000},
    {"line_cut", scope::home, day, day * 10, day * 4, 1, 1, 1min},
    {"line_half_open", scope::home, day, day * 10, day, 1, 4},
    {"line_stall", scope::home, day, day * 10, 10min},
    {"line_reset", scope::home, 6h, day * 10, 1min, 1, 30},
    {"line_slow", scope::home, day, day * 10, day, 1'000, 120'000},
    {"device_silent", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_off", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_garbage", scope::home, day * 2, day * 15, 12h, 1, 1, 1min},
    {"device_cut_short", scope::home, day * 2, day * 15, 12h, 1, 1, 1min},
    {"device_late", scope::home, day * 2, day * 15, 12h, 500, 30'000, 10min},
    {"device_duplicate", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_wrong_tid", scope::home, day * 2, day * 15, 12h, 1, 1, 1min},
    {"device_loses", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_deaf", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_no_value", scope::home, day * 2, day * 15, day, 1, 1, 1min},
    {"device_faulty", scope::home, day * 3, day * 15, day, 1, 1, 1min},
    {"meter_reset", scope::home, day * 4, day * 20, 1min},
    {"meter_swap", scope::home, day * 8, day * 30, 1min},
    {"mass_cut", scope::all, day * 2, day * 10, 2h, 1, 1, 1min},
    {"relay_off", scope::all, day, day * 8, 6h, 1, 1, 5min},
    {"relay_stop", scope::all, day, day * 8, 10min},
    {"relay_cut_at_action", scope::all, day, day * 8, 1h, 1, 400},
    {"relay_commit_lost", scope::all, day, day * 8, 1h, 1, 50},
    {"relay_commit_unheard", scope::all, day, day * 8, 1h, 1, 50},
    {"relay_commit_torn", scope::all, day, day * 8, 1h, 1, 50},
    {"relay_disk_fails", scope::all, day, day * 8, 6h, 1, 50, 1min},
    {"relay_disk_full", scope::all, day, day * 8, 1h, 1, 50, 1min},
    {"relay_reads_fail", scope::all, day, day * 8, 10min, 1, 20},
    {"relay_row_corrupt", scope::all, day, day * 8, 1min, 1, 20},
    {"mail_refused", scope::all, day, day * 6, day, 1, 1, 30min},
    {"mail_rejected", scope::all, day * 2, day * 10, 1h, 1, 1, 30min},
    {"mail_delayed", scope::all, day, day * 6, 6h, 10'000, 600'000, 30min},
    {"mail_answer_lost", scope::all, day, day * 6, 6h, 1, 1, 30min},
    {"fields_dropped", scope::whole_run},
    {"relay_clock_drift", scope::whole_run, {}, {}, {}, 1, 50},
    {"relay_clock_step", scope::all, day, day * 8, 6h, 60'000, 6 * 3'600'000, 1min},
    {"relay_clock_lost", scope::all, day, day * 8, 12h, 1, 1, 1h},
}};

const range& range_of(fault_kind kind) { return ranges[static_cast<std::size_t>(kind)]; }

// Doubled a random number of times, so that little is as likely as much.
std::int64_t drawn_amount(prng& random, std::int64_t low, std::int64_t high) {
  std::int64_t amount = low;
  while (amount < high && random.chance(850)) amount *= 2;
  return std::min(high, amount + random.between(0, low));
}

void draw_kind(fault_plan& plan, fault_kind kind, const options& opt, prng random) {
  const range& r = range_of(kind);
  const mono_time until = mono_time{} + opt.days * day;
  const outage_habit how{.between_mean = millis{random.between(r.between_low.count(), r.between_high.count())},
                         .shortest = r.shortest,
                         .longest = millis{random.between(r.shortest.count(), std::max(r.shortest, r.longest).count())}};
  const std::int64_t worst = random.between(r.amount_low, r.amount_high);
  const auto per_mille = static_cast<std::uint32_t>(random.chance(500) ? 1000 : random.between(20, 1000));
  const std::uint32_t homes = r.where == scope::home ? opt.homes : 1;
  for (std::uint32_t h = 0; h < homes; ++h)
    for (const outage& o : draw_outages(random.fork(), how, until))
      plan.faults.push_back({.kind = kind, .home = h, .from = o.from, .until = o.until,
                             .amount = drawn_amount(random, r.amount_low, worst), .per_mille = per_mille});
}

void draw_traits(fault_plan& plan, const options& opt, prng random) {
  plan.traits.resize(opt.homes);
  for (home_traits& t : plan.traits) {
    if (plan.has(fault_kind::clock_drift) && random.chance(trait_per_mille)) {
      const range& r = range_of(fault_kind::clock_drift);
      t.drift_ppm = static_cast<std::int32_t>(random.between(r.amount_low, r.amount_high)) * (random.chance(500) ? 1 : -1);
      t.time_service = false;
    }
    if (plan.has(fault_kind::clock_battery) && random.chance(trait_per_mille)) t.battery = t.time_service = false;
  }
}

}  // namespace

std::string_view name_of(fault_kind kind) { return range_of(kind).name; }

std::vector<outage> draw_outages(prng random, const outage_habit& how, mono_time until) {
  std::vector<outage> all;
  mono_time t{};
  for (;;) {
    t += millis{random.between(how.between_mean.count() / 4, how.between_mean.count() * 7 / 4)};
    const millis length{drawn_amount(random, how.shortest.count(), how.longest.count())};
    if (t + length >= until) return all;
    all.push_back({t, t + length});
    t += length;
  }
}

namespace {

void draw_kinds(fault_plan& plan, fault_kind from, fault_kind through, const options& opt, prng& random) {
  for (auto k = static_cast<std::size_t>(from); k <= static_cast<std::size_t>(through); ++k) {
    const auto kind = static_cast<fault_kind>(k);
    prng own = random.fork();
    const bool whole_run = range_of(kind).where == scope::whole_run;
    plan.in_play[k] = (own.chance(whole_run ? whole_run_per_mille : kind_per_mille) || opt.all_faults) && !opt.calm;
    if (plan.in_play[k] && !whole_run) draw_kind(plan, kind, opt, own);
  }
}

}  // namespace

fault_plan draw_plan(const options& opt, prng random) {
  fault_plan plan;
  draw_kinds(plan, fault_kind::gateway_off, fault_kind::fields_dropped, opt, random);
  draw_traits(plan, opt, random.fork());
  plan.line_delay_max = millis{random.between(1, 2'000)};
  constexpr std::uint32_t slow_disk_per_mille = 200;
  plan.commit_delay_max = millis{random.between(1, random.chance(slow_disk_per_mille) ? 60'000 : 1'000)};
  plan.mail_delay_max = millis{random.between(1, 5'000)};
  draw_kinds(plan, fault_kind::relay_clock_drift, fault_kind::relay_clock_step, opt, random);
  if (plan.has(fault_kind::relay_clock_drift)) {
    const range& r = range_of(fault_kind::relay_clock_drift);
    plan.relay_drift_ppm = static_cast<std::int32_t>(random.between(r.amount_low, r.amount_high)) * (random.chance(500) ? 1 : -1);
  }
  draw_kinds(plan, fault_kind::relay_clock_lost, fault_kind::relay_clock_lost, opt, random);
  return plan;
}

}  // namespace tomoshibi::sim
