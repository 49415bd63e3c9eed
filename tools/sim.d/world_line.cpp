// Connections: dialling, bytes in order and late, and the ways in which a line breaks.
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/world.hpp"

namespace tomoshibi::sim {
namespace {

constexpr millis connect_timeout = 10s;
constexpr std::uint32_t told_per_mille = 500;  // a cut that both ends notice; the others stay half-open

}  // namespace

millis world::delay() { return millis{random_.between(1, weights_.line_delay_max.count())}; }

void world::dial(std::uint32_t h, firmware::link_number link) {
  line& l = lines_[h];
  l.open = false;
  l.link = link;
  ++l.life;
  if (!l.healthy) return push(now_ + connect_timeout, event_kind::line_refused, h, 0, l.life);
  push(now_ + delay(), relay_ ? event_kind::line_opened : event_kind::line_refused, h, 0, l.life);
}

void world::lose_connection(std::uint32_t h, bool tell_gateway, bool tell_relay) {
  line& l = lines_[h];
  ++l.life;
  if (!l.open) return;
  l.open = false;
  if (tell_gateway) push(now_, event_kind::line_closed_to_gateway, h, 0, l.life);
  if (tell_relay) push(now_, event_kind::line_closed_to_relay, h, 0, l.life);
}

void world::send_to_relay(std::uint32_t h, const firmware::link_send& what) {
  line& l = lines_[h];
  if (!l.open || what.link != l.link) return;
  l.to_relay_free = std::max(l.to_relay_free, now_ + delay());
  push(l.to_relay_free, event_kind::line_to_relay, h, payloads_.keep(what.data), l.life);
}

void world::send_to_gateway(const relay::send& what) {
  const auto it = home_of_session_.find(static_cast<std::uint64_t>(what.session));
  if (it == home_of_session_.end()) return;
  line& l = lines_[it->second];
  if (!l.open || l.session != what.session) return;
  show(it->second, what.data);
  l.to_gateway_free = std::max(l.to_gateway_free, now_ + delay());
  push(l.to_gateway_free, event_kind::line_to_gateway, it->second, payloads_.keep(what.data), l.life);
}

void world::show(std::uint32_t h, byte_view data) {
  for (;;) {
    const auto payload = lines_[h].relay_frames.next(data);
    if (!payload || !*payload) return;
    const auto message = wire::decode_payload(**payload);
    if (!message) continue;
    for (observer* o : observers_) o->on_relay_frame(h, *message);
  }
}

void world::take_line(const event& e) {
  line& l = lines_[e.home];
  firmware::gateway* gateway = homes_[e.home]->gateway();
  const bool mine = e.life == l.life;
  switch (e.kind) {
    case event_kind::line_cut:
      ++statistics_.line_cuts;
      l.healthy = false;
      if (const bool told = random_.chance(told_per_mille); true) lose_connection(e.home, told, told);
      return;
    case event_kind::line_restored:
      l.healthy = true;
      return;
    case event_kind::line_refused:
      if (!mine || !gateway) return;
      gateway->on_link_closed(now_, l.link, error{errc::net_unreachable, {}}, gateway_out_);
      return gateway_said(e.home);
    case event_kind::line_opened:
      if (!mine || !gateway || !relay_ || !l.healthy) return;
      l.open = true;
      l.session = relay::session_id{++sessions_};
      l.relay_frames = {};
      l.to_relay_free = l.to_gateway_free = now_;
      home_of_session_[sessions_] = e.home;
      relay_->on_session_open(now_, wall_of(now_), l.session,
                              {.subject_cn = simulated_gateway(e.home).text(), .certificate_sha256 = "00", .remote = {}},
                              relay_out_);
      relay_said();
      gateway->on_link_open(now_, l.link, gateway_out_);
      return gateway_said(e.home);
    case event_kind::line_to_relay:
      if (mine && relay_ && l.open) {
        relay_->on_session_bytes(now_, wall_of(now_), l.session, payloads_.at(e.payload), relay_out_);
        relay_said();
      }
      return payloads_.drop(e.payload);
    case event_kind::line_to_gateway:
      if (mine && gateway && l.open) {
        gateway->on_link_bytes(now_, l.link, payloads_.at(e.payload), gateway_out_);
        gateway_said(e.home);
      }
      return payloads_.drop(e.payload);
    case event_kind::line_closed_to_relay:
      if (!mine || !relay_) return;
      l.open = false;
      relay_->on_session_closed(now_, wall_of(now_), l.session, relay_out_);
      return relay_said();
    case event_kind::line_closed_to_gateway:
      if (!mine || !gateway) return;
      l.open = false;
      gateway->on_link_closed(now_, l.link, error{errc::net_closed, {}}, gateway_out_);
      return gateway_said(e.home);
    default: return;
  }
}

}  // namespace tomoshibi::sim
