// Bounds while it runs, and what must be done at the end.
#include "firmware/core/outbox.hpp"
#include "firmware/core/uplink.hpp"
#include "tools/sim.d/memory_bounds.hpp"
#include "tools/sim.d/world.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

std::string of_home(std::uint32_t h) { return " of home " + std::to_string(h); }

}  // namespace

void world::inspect() {
  for (std::uint32_t h = 0; h < opt_.homes; ++h)
    if (homes_[h]->on()) inspect_gateway(h);
  if (!relay_) return;
  const relay::limits limits;
  const auto health = relay_->health();
  inspect_relay_memory(health);
  const std::string at = " at " + std::to_string(to_ms(now_)) + " ms";
  // A turn may go over the limit by what one frame holds.
  constexpr std::size_t one_turn = 4'096;
  if (health.writes_pending > limits.pending_writes_max + one_turn) found("bound: writes pending" + at);
  if (health.sessions > 2 * std::size_t{opt_.homes} + 1) found("bound: sessions" + at);
  if (health.mails_in_flight > limits.mails_in_flight_max) found("bound: mails in flight" + at);
}

void world::inspect_gateway(std::uint32_t h) {
  const auto& s = homes_[h]->statistics();
  const firmware::outbox_limits limits;
  const std::string at = of_home(h) + " at " + std::to_string(to_ms(now_)) + " ms";
  if (s.records_held > limits.records_max) found("bound: records held" + at);
  if (s.record_bytes_held > limits.bytes_max) found("bound: record bytes" + at);
  if (s.records_pending > limits.pending_max) found("bound: records pending" + at);
  inspect_memory(h);
  if (s.records_dropped > 0) found("records given up in a run too short for that" + at);
}

void world::inspect_memory(std::uint32_t h) {
  const std::size_t bytes = bytes_owned(memory_of_home(h));
  const std::size_t allowed = gateway_bytes_allowed(homes_[h]->statistics());
  statistics_.gateway_bytes_max = std::max(statistics_.gateway_bytes_max, bytes);
  if (bytes > allowed)
    found("bound: memory" + of_home(h) + ", " + std::to_string(bytes) + " of " + std::to_string(allowed) + " bytes at " +
          std::to_string(to_ms(now_)) + " ms");
}

void world::inspect_relay_memory(const relay::health& health) {
  const std::size_t bytes = bytes_owned(memory_owner::relay);
  const std::size_t allowed = relay_bytes_allowed(health, opt_.homes);
  statistics_.relay_bytes_max = std::max(statistics_.relay_bytes_max, bytes);
  if (bytes > allowed)
    found("bound: memory of the relay, " + std::to_string(bytes) + " of " + std::to_string(allowed) + " bytes at " +
          std::to_string(to_ms(now_)) + " ms");
}

// Liveness: after the convergence budget nothing is left undone.
void world::judge_end() {
  constexpr std::uint64_t still_on_its_way = 3;  // the slot that has just ended
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    if (!homes_[h]->on()) {
      found("not on at the end: gateway" + of_home(h));
      continue;
    }
    const auto& s = homes_[h]->statistics();
    if (s.uplink != firmware::uplink_state::live) found("not live at the end: uplink" + of_home(h));
    if (!s.storage_ok || s.records_pending > 0) found("not durable at the end: records" + of_home(h));
    if (s.records_held > still_on_its_way) found("not delivered at the end: " + std::to_string(s.records_held) + " records" + of_home(h));
  }
  if (!relay_) return found("not on at the end: relay");
  const auto health = relay_->health();
  constexpr std::size_t writes_of_a_moment = 16;
  if (health.commit_failing || health.writes_pending > writes_of_a_moment * (1 + opt_.homes))
    found("not durable at the end: " + std::to_string(health.writes_pending) + " writes of the relay");
}

}  // namespace tomoshibi::sim
