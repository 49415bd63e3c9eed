// Energy is conserved: what the stored slots of an appliance sum up to is what its meter counted between the first
// reading and the end, no more; and no less, except for what nobody could read around a reset or a swap.
#pragma once

#include "tools/sim.d/observer.hpp"

#include <map>

namespace tomoshibi::sim {

class energy_checker final : public observer {
public:
  void on_committed(const relay::write_batch& batch, wall_at at) override;

  struct counted {              // the twin's meter, in Wh
    std::uint64_t first_low = 0;   // the first reading lies between these two
    std::uint64_t first_high = 0;
    std::uint64_t last_low = 0;    // the last reading booked into a stored slot lies between these two
    std::uint64_t last_high = 0;
    std::uint64_t lost = 0;        // at most so much was never to be read
  };
  void expect(home_id home, appliance_id appliance, const counted& c);
  violations finish() const;
  std::uint64_t energy_wh() const;

private:
  using key = std::pair<home_id, appliance_id>;
  std::map<key, std::uint64_t> stored_;
  std::map<key, counted> expected_;
};

}  // namespace tomoshibi::sim
