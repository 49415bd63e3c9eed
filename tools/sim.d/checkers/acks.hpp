// Acknowledgement never before commit: whatever sequence a relay names to a gateway, in a welcome or an ack, has been
// committed before that frame was sent.
#pragma once

#include "tools/sim.d/observer.hpp"

#include <map>

namespace tomoshibi::sim {

class acks_checker final : public observer {
public:
  void on_committed(const relay::write_batch& batch) override;
  void on_relay_frame(std::uint32_t home, const wire::message& sent) override;
  violations finish() const { return violations_; }
  std::uint64_t acks() const { return acks_; }

private:
  std::map<gateway_id, record_seq> committed_;
  violations violations_;
  std::uint64_t acks_ = 0;
};

gateway_id simulated_gateway(std::uint32_t home);  // "home-17"

}  // namespace tomoshibi::sim
