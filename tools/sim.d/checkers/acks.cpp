#include "tools/sim.d/checkers/acks.hpp"

#include <algorithm>

namespace tomoshibi::sim {

gateway_id simulated_gateway(std::uint32_t home) { return *gateway_id::parse("home-" + std::to_string(home)); }

void acks_checker::on_committed(const relay::write_batch& batch) {
  for (const relay::write& w : batch)
    if (const auto* p = std::get_if<relay::progress_write>(&w)) {
      record_seq& known = committed_[p->gateway];
      known = std::max(known, p->acked);
    }
}

void acks_checker::on_relay_frame(std::uint32_t home, const wire::message& sent) {
  record_seq named = 0;
  if (const auto* a = std::get_if<wire::ack>(&sent)) named = a->acked_seq;
  else if (const auto* w = std::get_if<wire::welcome>(&sent)) named = w->acked_seq;
  else return;
  ++acks_;
  const auto it = committed_.find(simulated_gateway(home));
  const record_seq committed = it == committed_.end() ? 0 : it->second;
  if (named > committed)
    violations_.push_back("home " + std::to_string(home) + " was told " + std::to_string(named) + ", committed is " +
                          std::to_string(committed));
}

}  // namespace tomoshibi::sim
