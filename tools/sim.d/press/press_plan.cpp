#include "tools/sim.d/press/press_plan.hpp"

#include "tools/sim.d/faults.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr std::uint32_t kind_per_mille = 350;
constexpr std::uint32_t direct_per_mille = 800;

struct range {
  std::string_view name;
  bool of_home = false;
  millis longest{};
  std::int64_t amount_max = 1;
};
constexpr millis minute = std::chrono::minutes{1};
constexpr std::array<range, press_faults> ranges{{
    {"box_off", true, minute * 10},
    {"box_cut", true, minute, 16},
    {"relay_off", false, minute * 10},
    {"relay_cut", false, minute, 60},
    {"guard_off", false, minute * 10},
    {"guard_cut", false, minute, 30},
    {"lane_cut", true, minute * 20},
    {"lane_half_open", true, minute * 20},
    {"lane_slow", true, minute * 20, 2'000},
    {"direct_cut", true, minute * 20},
    {"direct_half_open", true, minute * 20},
    {"direct_slow", true, minute * 20, 2'000},
    {"link_cut", false, minute * 20},
    {"link_half_open", false, minute * 20},
    {"link_slow", false, minute * 20, 2'000},
    {"loss", false, minute * 20},
    {"box_disk_full", true, minute * 20},
    {"relay_disk_fails", false, minute * 20},
    {"box_clock", true, minute * 40},
    {"relay_clock", false, minute * 40},
    {"guard_misbehaves", false, minute * 20},
    {"forger", false, minute * 20},
}};

}  // namespace

std::string_view name_of(press_fault kind) { return ranges[static_cast<std::size_t>(kind)].name; }

press_plan draw_press_plan(const press_options& opt, prng random) {
  press_plan plan;
  plan.direct = random.chance(direct_per_mille);
  plan.delay_max = millis{random.between(1, 400)};
  const mono_time until = mono_time{} + millis{opt.hours * 3'600'000};
  for (std::size_t k = 0; k < press_faults; ++k) {
    prng own = random.fork();
    const range& r = ranges[k];
    plan.in_play[k] = !opt.calm && (own.chance(kind_per_mille) || opt.all_faults);
    if (!plan.in_play[k]) continue;
    const outage_habit how{.between_mean = millis{own.between(30, 180)} * 60'000, .shortest = millis{1'000}, .longest = r.longest};
    for (std::uint32_t h = 0; h < (r.of_home ? opt.homes : 1); ++h)
      for (const outage& o : draw_outages(own.fork(), how, until))
        plan.faults.push_back({.kind = static_cast<press_fault>(k), .home = h, .from = o.from, .until = o.until,
                               .amount = own.between(1, r.amount_max)});
  }
  return plan;
}

}  // namespace tomoshibi::sim
