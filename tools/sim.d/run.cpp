#include "tools/sim.d/run.hpp"

#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/checkers/alerts.hpp"
#include "tools/sim.d/checkers/energy.hpp"
#include "tools/sim.d/checkers/slots.hpp"
#include "tools/sim.d/memory_disk.hpp"

namespace tomoshibi::sim {
namespace {

constexpr std::int32_t delivery_slots = 4;  // the last hour may still be on its way when the run ends

bool was_on(world& w, std::uint32_t home, appliance_id appliance, slot_index slot) {
  const auto& a = w.homes()[home]->appliances()[static_cast<std::size_t>(appliance) - 1];
  const auto i = static_cast<std::size_t>(slot - slot_of(wall_of(mono_time{})));
  return i < a.truth.size() && a.truth[i];
}

void expect_energy(world& w, energy_checker& energy) {
  for (auto& h : w.homes())
    for (const auto& a : h->appliances()) {
      if (!h->metered(a)) continue;
      const std::uint64_t end = h->counter_wh(a, w.end());
      energy.expect(home_id{h->number()}, a.spec.appliance,
                    {.first_low = 0, .first_high = w.counter_at_first_slot(h->number(), a.spec.appliance),
                     .last_low = w.counter_before_end(h->number(), a.spec.appliance), .last_high = end});
    }
}

std::vector<ruled_appliance> rules_of(world& w) {
  std::vector<ruled_appliance> rules;
  for (const auto& h : w.homes())
    for (const auto& a : h->appliances())
      if (a.quiet_days)
        rules.push_back({.home = home_id{h->number()}, .appliance = a.spec.appliance, .quiet_days = *a.quiet_days,
                         .watched_from = slot_of(wall_of(mono_time{})), .recipients = family_contacts});
  return rules;
}

}  // namespace

report run_checked(const options& opt) {
  memory_disks disks;
  return run_checked(opt, disks);
}

report run_checked(const options& opt, disk_factory& disks) {
  world w{opt, disks};
  slots_checker slots{opt.homes, slot_of(wall_of(mono_time{})),
                      {.was_on = [&w](std::uint32_t h, appliance_id a, slot_index s) { return was_on(w, h, a, s); },
                       .may_be_unknown = [&w](std::uint32_t h, slot_index s) { return w.blind_allowed(h, s); }}};
  energy_checker energy;
  alerts_checker alerts;
  acks_checker acks;
  for (observer* o : std::initializer_list<observer*>{&slots, &energy, &alerts, &acks}) w.watch(*o);
  w.run();

  const slot_index through = slot_of(wall_of(w.end())) - delivery_slots;
  expect_energy(w, energy);
  report r{.counts = w.statistics(), .slots_told = slots.slots_told(), .unknown_told = slots.unknown_told(),
           .episodes = alerts.episodes(), .acks = acks.acks(), .energy_wh = energy.energy_wh(), .found = {}};
  for (const violations& v : {slots.finish(through), energy.finish(), alerts.finish(w.store(), through, rules_of(w)), acks.finish(), w.torn()})
    r.found.insert(r.found.end(), v.begin(), v.end());
  return r;
}

}  // namespace tomoshibi::sim
