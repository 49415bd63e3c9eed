#include "tools/sim.d/run.hpp"

#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/checkers/alerts.hpp"
#include "tools/sim.d/checkers/energy.hpp"
#include "tools/sim.d/checkers/mails.hpp"
#include "tools/sim.d/checkers/sight.hpp"
#include "tools/sim.d/checkers/slots.hpp"
#include "tools/sim.d/memory_disk.hpp"

namespace tomoshibi::sim {
namespace {

constexpr std::int32_t delivery_slots = 4;  // the last hour may still be on its way when the run ends
constexpr millis mail_through = 12h;        // before the end: a mail waits for the morning, and for its next try
constexpr millis notice_slack = 3min;
constexpr millis notice_slack_reads = 1h;   // where reads of the relay's store fail: it tries again with the next facts
constexpr millis moment = 5s;               // of no sight at all within a slot: the driver may have it later than we

// Asks the world what was truly so.
class honesty {
public:
  explicit honesty(world& w) : world_(w) {}

  bool was_on(std::uint32_t h, appliance_id appliance, slot_index slot) const {
    const auto& a = of(h, appliance);
    const auto i = static_cast<std::size_t>(slot - slot_of(wall_of(mono_time{})));
    return i < a.truth.size() && a.truth[i];
  }
  bool may_be_on(std::uint32_t h, appliance_id appliance, slot_index slot) const {
    if (was_on(h, appliance, slot)) return true;
    home& one = *world_.homes()[h];
    home_truth& t = one.truth();
    const millis off = t.clock_error_max;
    if (t.clock_doubt.touch(start_of(slot), end_of(slot))) return true;
    if (off > 0ms && used_in(of(h, appliance).uses, start_of(slot) - off, end_of(slot) + off)) return true;
    // A use whose end was not heard of is held until the next reading, or the gap limit.
    return t.disturbed.touch(start_of(slot), end_of(slot)) &&
           used_in(of(h, appliance).uses, start_of(slot) - off - one.gap_limit() - 1min, end_of(slot) + off);
  }
  bool may_be_off(std::uint32_t h, appliance_id appliance, slot_index slot) const {
    if (!was_on(h, appliance, slot)) return true;
    home_truth& t = world_.homes()[h]->truth();
    const millis off = t.clock_error_max;
    if (t.clock_doubt.touch(start_of(slot), end_of(slot)) || t.disturbed.touch(start_of(slot), end_of(slot))) return true;
    return off > 0ms && !used_in(of(h, appliance).uses, start_of(slot) + off, end_of(slot) - off);
  }
  bool could_be_seen(std::uint32_t h, appliance_id appliance, slot_index slot) const {
    home& one = *world_.homes()[h];
    home_truth& t = one.truth();
    if (t.clock_doubt.touch(start_of(slot), end_of(slot))) return true;
    const auto& seen = t.seen[static_cast<std::size_t>(appliance) - 1];
    return !seen.blind_in(start_of(slot), end_of(slot), moment + 2 * t.clock_error_max, one.gap_limit());
  }
  bool may_be_unknown(std::uint32_t h, slot_index slot) const {
    home_truth& t = world_.homes()[h]->truth();
    return t.may_be_unknown.touch(start_of(slot) - t.clock_error_max, end_of(slot) + t.clock_error_max);
  }
  bool may_be_absent(std::uint32_t h, slot_index slot) const {
    return world_.homes()[h]->truth().may_be_absent.touch(start_of(slot), end_of(slot));
  }
  bool may_be_twice(std::uint32_t h, slot_index slot) const {
    return world_.homes()[h]->truth().may_be_twice.touch(start_of(slot), end_of(slot));
  }

private:
  const simulated_appliance& of(std::uint32_t h, appliance_id appliance) const {
    return world_.homes()[h]->appliances()[static_cast<std::size_t>(appliance) - 1];
  }
  world& world_;
};

void expect_energy(world& w, energy_checker& energy) {
  for (auto& h : w.homes())
    for (std::size_t i = 0; i < h->appliances().size(); ++i) {
      if (!h->metered(i)) continue;
      const meter_truth& m = h->truth().meters[i];
      const std::uint64_t end = h->counted_wh(i, w.end());
      const std::uint64_t lost = m.unbounded_below ? end : m.lost + (m.lost_from ? end - *m.lost_from : 0);
      // The last reading that arrived in the faults or in the quiet behind them: nothing is used any more then.
      energy.expect(home_id{h->number()}, h->appliances()[i].spec.appliance,
                    {.first_low = 0, .first_high = w.counter_at_first_slot(h->number(), i),
                     .last_low = std::min(m.read, end), .last_high = end, .lost = lost});
    }
}

// A clock that is wrong by days makes slots of uncertain time, and the fast one makes them before their time.
std::vector<ruled_appliance> rules_of(world& w) {
  std::vector<ruled_appliance> rules;
  for (const auto& h : w.homes()) {
    home_truth& t = h->truth();
    // One without a clock of its own goes where the relay's goes.
    const bool stepped = h->traits().time_service ? w.plan().has(fault_kind::clock_step) : w.plan().relay_clock_jumps();
    for (const auto& a : h->appliances())
      if (a.quiet_days)
        rules.push_back({.home = home_id{h->number()}, .appliance = a.spec.appliance, .quiet_days = *a.quiet_days,
                         .watched_from = slot_of(wall_of(mono_time{})),
                         .early = (stepped ? 2 * slot_length : t.clock_error_max) + w.relay_behind_max(), .slots_may_change = stepped});
  }
  return rules;
}

std::vector<watched_home> watched_homes(world& w) {
  const relay::home product;
  std::vector<watched_home> out;
  for (const auto& h : w.homes()) {
    watched_home& one = out.emplace_back();
    one.watched_from = slot_of(wall_of(mono_time{}));
    one.blind_provider_after = product.blind_provider_after;
    one.blind_family_after = product.blind_family_after;
    for (const auto& a : h->appliances()) one.ruled.push_back(a.quiet_days.has_value());
  }
  return out;
}

std::vector<contact_id> readers(const relay::episode_key& key, std::uint32_t homes) {
  const auto first = static_cast<std::uint32_t>(key.home) * family_contacts + 1;
  std::vector<contact_id> out;
  for (std::uint32_t i = 0; i < family_contacts; ++i) out.push_back(contact_id{first + i});
  if (key.kind == relay::episode_kind::blind_provider) out = {provider_contact(homes)};
  else if (key.kind == relay::episode_kind::device_fault || key.kind == relay::episode_kind::device_silent)
    out.push_back(provider_contact(homes));
  return out;
}

std::string names_of(const fault_plan& plan) {
  std::string out;
  for (std::size_t k = 0; k < fault_kinds; ++k)
    if (plan.in_play[k]) out += (out.empty() ? "" : " ") + std::string{name_of(static_cast<fault_kind>(k))};
  return out;
}

}  // namespace

report run_checked(const options& opt) {
  memory_disks disks;
  return run_checked(opt, disks);
}

report run_checked(const options& opt, disk_factory& disks) {
  world w{opt, disks};
  const honesty truth{w};
  slots_checker slots{opt.homes, slot_of(wall_of(mono_time{})),
                      {.may_be_on = [&truth](std::uint32_t h, appliance_id a, slot_index s) { return truth.may_be_on(h, a, s); },
                       .may_be_off = [&truth](std::uint32_t h, appliance_id a, slot_index s) { return truth.may_be_off(h, a, s); },
                       .could_be_seen = [&truth](std::uint32_t h, appliance_id a, slot_index s) { return truth.could_be_seen(h, a, s); },
                       .may_be_unknown = [&truth](std::uint32_t h, slot_index s) { return truth.may_be_unknown(h, s); },
                       .may_be_absent = [&truth](std::uint32_t h, slot_index s) { return truth.may_be_absent(h, s); },
                       .may_be_twice = [&truth](std::uint32_t h, slot_index s) { return truth.may_be_twice(h, s); }}};
  const bool reads_fail = w.plan().has(fault_kind::relay_reads_fail) || w.plan().has(fault_kind::relay_row_corrupt);
  energy_checker energy;
  alerts_checker alerts{rules_of(w), reads_fail ? notice_slack_reads : 0ms};
  sight_checker sight{watched_homes(w), reads_fail ? notice_slack_reads : notice_slack};
  mails_checker mails{[homes = opt.homes](const relay::episode_key& key) { return readers(key, homes); }};
  acks_checker acks{opt.homes};
  for (observer* o : std::initializer_list<observer*>{&slots, &energy, &alerts, &sight, &mails, &acks}) w.watch(*o);
  w.run();

  // What should have been done by the end says nothing of a run that never came there.
  if (w.stood_still())
    return {.counts = w.statistics(), .slots_told = slots.slots_told(), .unknown_told = slots.unknown_told(),
            .alerts = 0, .blind = 0, .silent = 0, .faulty = 0, .acks = acks.acks(), .energy_wh = 0,
            .faults = names_of(w.plan()), .found = w.found()};

  const wall_at end = wall_of(w.end());
  const slot_index through = slot_of(end) - delivery_slots;
  expect_energy(w, energy);
  report r{.counts = w.statistics(), .slots_told = slots.slots_told(), .unknown_told = slots.unknown_told(),
           .alerts = alerts.episodes(), .blind = sight.blind(), .silent = sight.silent(), .faulty = sight.faulty(),
           .acks = acks.acks(), .energy_wh = energy.energy_wh(), .faults = names_of(w.plan()), .found = {}};
  for (const violations& v : {slots.finish(through), energy.finish(), alerts.finish(w.store(), through), sight.finish(end),
                              mails.finish(end - mail_through), acks.finish(), w.found()})
    r.found.insert(r.found.end(), v.begin(), v.end());
  return r;
}

}  // namespace tomoshibi::sim
