// Connections: dialling, bytes in order and late, and the ways in which a line breaks.
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/world.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr millis connect_timeout = 10s;
constexpr std::uint32_t slow_per_mille = 50;  // of a slow line's messages: its long tail
// First bytes of a frame's payload: the tag of its body (protocol/schema/tomoshibi.proto).
constexpr std::uint8_t hello_tag = 0x0a, welcome_tag = 0x12, records_tag = 0x1a, ack_tag = 0x22,
                       pong_tag = 0x42;

}  // namespace

millis world::delay(const line& l) {
  const millis usual{random_.between(1, plan_.line_delay_max.count())};
  if (l.slow == 0ms || !random_.chance(slow_per_mille)) return usual;
  return usual + millis{random_.between(0, l.slow.count())};
}

void world::dial(std::uint32_t h, firmware::link_number link) {
  line& l = lines_[h];
  lose_connection(h, false, false);
  l.link = link;
  if (l.broken > 0 || now_ < l.stalled_until) return push(now_ + connect_timeout, event_kind::line_refused, h, 0, l.life);
  push(now_ + delay(l), relay_ ? event_kind::line_opened : event_kind::line_refused, h, 0, l.life);
}

void world::lose_connection(std::uint32_t h, bool tell_gateway, bool tell_relay) {
  line& l = lines_[h];
  ++l.life;
  l.to_relay.drop_all(payloads_);
  l.to_gateway.drop_all(payloads_);
  if (!l.open) return;  // one that is being dialled is never answered
  l.open = false;
  if (tell_gateway) push(now_, event_kind::line_closed_to_gateway, h, 0, l.life);
  if (tell_relay) push(now_, event_kind::line_closed_to_relay, h, 0, l.life);
}

void world::send_to_relay(std::uint32_t h, const firmware::link_send& what) {
  line& l = lines_[h];
  if (!l.open || what.link != l.link) return;
  show_gateway_bytes(h, what.data);
  l.to_relay_free = std::max({l.to_relay_free, now_ + delay(l), l.stalled_until});
  l.to_relay.push(payloads_.keep(what.data));
  push(l.to_relay_free, event_kind::line_to_relay, h, 0, l.life);
}

void world::send_to_gateway(const relay::send& what) {
  const auto it = home_of_session_.find(static_cast<std::uint64_t>(what.session));
  if (it == home_of_session_.end()) return;
  line& l = lines_[it->second];
  if (!l.open || l.session != what.session) return;
  show_relay_bytes(it->second, what.data);
  l.to_gateway_free = std::max({l.to_gateway_free, now_ + delay(l), l.stalled_until});
  l.to_gateway.push(payloads_.keep(what.data));
  push(l.to_gateway_free, event_kind::line_to_gateway, it->second, 0, l.life);
}

// Only what a checker looks at is decoded.
void world::show_relay_bytes(std::uint32_t h, byte_view data) {
  for (;;) {
    const auto payload = lines_[h].relay_frames.next(data);
    if (!payload || !*payload) return;
    if ((**payload)[0] == welcome_tag || (**payload)[0] == pong_tag) note_told_time(h);
    if ((**payload)[0] != welcome_tag && (**payload)[0] != ack_tag) continue;
    const auto message = wire::decode_payload(**payload);
    if (!message) continue;
    for (observer* o : observers_) o->on_relay_frame(h, *message);
  }
}

void world::show_gateway_bytes(std::uint32_t h, byte_view data) {
  for (;;) {
    const auto payload = lines_[h].gateway_frames.next(data);
    if (!payload || !*payload) return;
    if ((**payload)[0] != hello_tag && (**payload)[0] != records_tag) continue;
    const auto message = wire::decode_payload(**payload);
    if (!message) continue;
    for (observer* o : observers_) o->on_gateway_frame(h, *message);
  }
}

void world::open_line(std::uint32_t h) {
  line& l = lines_[h];
  l.open = true;
  l.session = relay::session_id{++sessions_};
  l.relay_frames = l.gateway_frames = {};
  l.to_relay_free = l.to_gateway_free = now_;
  home_of_session_[sessions_] = h;
  boxes_[h].right_words = 0;
  for (observer* o : observers_) o->on_session(h);
  const relay::peer who{.subject_cn = simulated_gateway(h).text(), .certificate_sha256 = "00", .remote = {}};
  relay_turn([&](auto& r) { r.on_session_open(now_, relay_wall(), l.session, who, relay_out_); });
  relay_said();
  if (!l.open || !homes_[h]->on()) return;  // the relay's power may have gone in that turn
  homes_[h]->on_link_open(now_, l.link, gateway_out_);
  gateway_said(h);
}

// One message arrives, or a part of it and then nothing more.
void world::deliver(const event& e) {
  line& l = lines_[e.home];
  const bool to_relay = e.kind == event_kind::line_to_relay;
  if (now_ < l.stalled_until) return push(l.stalled_until, e.kind, e.home, 0, e.life);
  const std::uint32_t payload = (to_relay ? l.to_relay : l.to_gateway).pop();
  byte_view data = payloads_.at(payload);  // good until dropped
  if (plan_.has(fault_kind::fields_dropped)) data = dropper_.change(data);
  const bool breaks = l.reset_after > 0 && --l.reset_after == 0;
  if (breaks) data = data.first(static_cast<std::size_t>(random_.below(data.size())));
  if (to_relay && relay_ && !data.empty()) {
    relay_turn([&](auto& r) { r.on_session_bytes(now_, relay_wall(), l.session, data, relay_out_); });
    relay_said();
  } else if (!to_relay && homes_[e.home]->on() && !data.empty()) {
    homes_[e.home]->on_link_bytes(now_, l.link, data, gateway_out_);
    gateway_said(e.home);
  }
  payloads_.drop(payload);
  if (breaks) lose_connection(e.home, true, true);
}

void world::take_line(const event& e) {
  line& l = lines_[e.home];
  if (e.life != l.life) return;
  home& h = *homes_[e.home];
  switch (e.kind) {
    case event_kind::line_opened:
      if (!h.on()) return;
      if (relay_ && l.broken == 0) return open_line(e.home);
      [[fallthrough]];
    case event_kind::line_refused:
      if (!h.on()) return;
      h.on_link_closed(now_, l.link, errc::net_unreachable, gateway_out_);
      return gateway_said(e.home);
    case event_kind::line_to_relay:
    case event_kind::line_to_gateway:
      if (l.open) deliver(e);
      return;
    case event_kind::line_closed_to_relay:
      l.open = false;
      if (!relay_) return;
      relay_turn([&](auto& r) { r.on_session_closed(now_, relay_wall(), l.session, relay_out_); });
      return relay_said();
    case event_kind::line_closed_to_gateway:
      l.open = false;
      if (!h.on()) return;
      h.on_link_closed(now_, l.link, errc::net_closed, gateway_out_);
      return gateway_said(e.home);
    default: return;
  }
}

}  // namespace tomoshibi::sim
