// Acknowledgement never before commit: whatever sequence a relay names to a gateway, in a welcome or an ack, has been
// committed in the gateway's epoch before that frame was sent, or the gateway has said that it no longer exists.
// And never more frames of records on their way, unacknowledged, than the protocol allows.
#pragma once

#include "tools/sim.d/observer.hpp"

#include <deque>
#include <map>
#include <vector>

namespace tomoshibi::sim {

class acks_checker final : public observer {
public:
  explicit acks_checker(std::uint32_t homes) : homes_(homes) {}
  void on_committed(const relay::write_batch& batch, wall_at at) override;
  void on_session(std::uint32_t home) override;
  void on_gateway_frame(std::uint32_t home, const wire::message& sent) override;
  void on_relay_frame(std::uint32_t home, const wire::message& sent) override;
  violations finish() const { return violations_; }
  std::uint64_t acks() const { return acks_; }

private:
  struct session {
    outbox_epoch epoch{};
    record_seq gone = 0;                  // older than the oldest that the gateway says it holds
    std::deque<record_seq> unacked;       // last sequence of each frame
  };
  void found(std::uint32_t home, const std::string& what);

  std::vector<session> homes_;
  std::map<std::pair<gateway_id, outbox_epoch>, record_seq> committed_;
  violations violations_;
  std::uint64_t acks_ = 0;
};

gateway_id simulated_gateway(std::uint32_t home);  // "home-17"

}  // namespace tomoshibi::sim
