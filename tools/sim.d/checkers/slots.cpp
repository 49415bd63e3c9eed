#include "tools/sim.d/checkers/slots.hpp"

namespace tomoshibi::sim {
namespace {

std::string where(std::uint32_t home, slot_index slot) {
  return "home " + std::to_string(home) + " slot " + std::to_string(slot.value);
}

}  // namespace

slots_checker::slots_checker(std::uint32_t homes, slot_index first, truth t)
    : first_(first), truth_(std::move(t)), times_told_(homes) {}

void slots_checker::found(std::string line) {
  if (violations_.size() < violations_max) violations_.push_back(std::move(line));
}

void slots_checker::tell(home_id home, slot_index slot) {
  const auto h = static_cast<std::uint32_t>(home);
  // Only a gateway whose calendar is excused may begin before the world did.
  if (h < times_told_.size() && slot < first_ && truth_.may_be_absent(h, slot)) return;
  if (h >= times_told_.size() || slot < first_) return found("unheard of: " + where(h, slot));
  auto& told = times_told_[h];
  const auto i = static_cast<std::size_t>(slot - first_);
  if (told.size() <= i) told.resize(i + 1);
  ++slots_told_;
  if (++told[i] > 1 && !truth_.may_be_twice(h, slot)) found("told twice: " + where(h, slot));
}

void slots_checker::check(std::uint32_t home, slot_index slot, const wire::appliance_slot& a) {
  const auto who = [&] { return " appliance " + std::to_string(static_cast<int>(a.appliance)) + " " + where(home, slot); };
  switch (a.state) {
    case slot_state::on:
      if (!truth_.may_be_on(home, a.appliance, slot)) found("ON but was not:" + who());
      return;
    case slot_state::off:
      if (!truth_.may_be_off(home, a.appliance, slot)) found("OFF but was on:" + who());
      if (!truth_.could_be_seen(home, a.appliance, slot)) found("OFF but nobody could see:" + who());
      return;
    case slot_state::unknown:
      ++unknown_told_;
      if (!truth_.may_be_unknown(home, slot)) found("UNKNOWN without a cause:" + who());
  }
}

void slots_checker::on_committed(const relay::write_batch& batch, wall_at) {
  for (const relay::write& w : batch) {
    if (const auto* s = std::get_if<relay::slots_write>(&w)) {
      tell(s->home, s->slot.slot);
      for (const auto& a : s->slot.appliances) check(static_cast<std::uint32_t>(s->home), s->slot.slot, a);
    } else if (const auto* g = std::get_if<relay::gap_write>(&w)) {
      for (std::uint32_t i = 0; i < g->gap.count; ++i) {
        const slot_index slot = g->gap.first_slot + static_cast<std::int32_t>(i);
        const auto h = static_cast<std::uint32_t>(g->home);
        tell(g->home, slot);
        if (!truth_.may_be_unknown(h, slot)) found("gap without a cause: " + where(h, slot) + ", reason " +
                                                          std::to_string(static_cast<int>(g->gap.reason)));
      }
    }
  }
}

violations slots_checker::finish(slot_index through) const {
  violations all = violations_;
  for (std::uint32_t home = 0; home < times_told_.size(); ++home) {
    const auto& told = times_told_[home];
    std::size_t i = 0;
    while (i < told.size() && told[i] == 0) ++i;  // before the gateway first had a configuration
    for (; first_ + static_cast<std::int32_t>(i) <= through && all.size() < violations_max; ++i)
      if (const slot_index slot = first_ + static_cast<std::int32_t>(i);
          (i >= told.size() || told[i] == 0) && !truth_.may_be_absent(home, slot))
        all.push_back("never told: " + where(home, slot));
  }
  return all;
}

}  // namespace tomoshibi::sim
