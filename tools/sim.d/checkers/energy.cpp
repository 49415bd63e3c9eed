#include "tools/sim.d/checkers/energy.hpp"

namespace tomoshibi::sim {

void energy_checker::on_committed(const relay::write_batch& batch, wall_at) {
  for (const relay::write& w : batch)
    if (const auto* s = std::get_if<relay::slots_write>(&w))
      for (const auto& a : s->slot.appliances)
        if (a.energy_wh) stored_[{s->home, a.appliance}] += *a.energy_wh;
}

void energy_checker::expect(home_id home, appliance_id appliance, const counted& c) { expected_[{home, appliance}] = c; }

std::uint64_t energy_checker::energy_wh() const {
  std::uint64_t sum = 0;
  for (const auto& [who, wh] : stored_) sum += wh;
  return sum;
}

violations energy_checker::finish() const {
  violations all;
  for (const auto& [who, c] : expected_) {
    const auto it = stored_.find(who);
    const std::uint64_t wh = it == stored_.end() ? 0 : it->second;
    const std::uint64_t unread = c.first_high + c.lost;
    const std::uint64_t least = c.last_low > unread ? c.last_low - unread : 0;
    const std::uint64_t most = c.last_high - c.first_low;
    if (wh < least || wh > most)
      all.push_back("energy of home " + std::to_string(static_cast<std::uint32_t>(who.first)) + " appliance " +
                    std::to_string(static_cast<int>(who.second)) + ": stored " + std::to_string(wh) + " Wh, counted " +
                    std::to_string(least) + ".." + std::to_string(most));
  }
  return all;
}

}  // namespace tomoshibi::sim
