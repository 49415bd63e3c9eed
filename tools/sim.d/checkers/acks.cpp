#include "tools/sim.d/checkers/acks.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr std::size_t frames_in_flight_max = 8;  // docs/PROTOCOL.md

}  // namespace

gateway_id simulated_gateway(std::uint32_t home) { return *gateway_id::parse("home-" + std::to_string(home)); }

void acks_checker::found(std::uint32_t home, const std::string& what) {
  if (violations_.size() < violations_max) violations_.push_back("home " + std::to_string(home) + " " + what);
}

void acks_checker::on_committed(const relay::write_batch& batch, wall_at) {
  for (const relay::write& w : batch)
    if (const auto* p = std::get_if<relay::progress_write>(&w)) {
      record_seq& known = committed_[{p->gateway, p->epoch}];
      known = std::max(known, p->acked);
    }
}

void acks_checker::on_session(std::uint32_t home) { homes_[home] = {}; }

void acks_checker::on_gateway_frame(std::uint32_t home, const wire::message& sent) {
  session& s = homes_[home];
  if (const auto* h = std::get_if<wire::hello>(&sent)) {
    s = {.epoch = h->epoch, .gone = h->oldest_seq - 1, .unacked = {}};
  } else if (const auto* r = std::get_if<wire::records>(&sent)) {
    s.unacked.push_back(r->first_seq + r->items.size() - 1);
    if (s.unacked.size() > frames_in_flight_max) found(home, "has " + std::to_string(s.unacked.size()) + " frames unacknowledged");
  }
}

void acks_checker::on_relay_frame(std::uint32_t home, const wire::message& sent) {
  record_seq named = 0;
  if (const auto* a = std::get_if<wire::ack>(&sent)) named = a->acked_seq;
  else if (const auto* w = std::get_if<wire::welcome>(&sent)) named = w->acked_seq;
  else return;
  ++acks_;
  session& s = homes_[home];
  while (!s.unacked.empty() && s.unacked.front() <= named) s.unacked.pop_front();
  const auto it = committed_.find({simulated_gateway(home), s.epoch});
  const record_seq committed = std::max(it == committed_.end() ? 0 : it->second, s.gone);
  if (named > committed) found(home, "was told " + std::to_string(named) + ", committed is " + std::to_string(committed));
}

}  // namespace tomoshibi::sim
