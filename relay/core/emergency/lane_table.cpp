#include "relay/core/emergency/lane_table.hpp"

namespace tomoshibi::relay {
namespace {

limits limits_of(const emergency_limits& l) {
  limits out;
  out.sessions_max = l.lanes_max;
  out.hello_wait = l.hello_wait;
  out.session_idle = l.lane_idle;
  out.frame_wait = l.frame_wait;
  out.session_bytes_per_min = l.lane_bytes_per_min;
  out.session_frames_per_min = l.lane_frames_per_min;
  out.hellos_per_min = l.hellos_per_min;
  return out;
}

}  // namespace

lane_table::lane_table(const emergency_limits& l, log_sink& log, lane_listener& listener)
    : lane_bounds{limits_of(l), {}}, connection_table(session_kind::lane, "lane", lane_limits, lane_counts, log),
      listener_(listener) {}

std::optional<refusal> lane_table::take(desk_turn& t, device_session& s, wire::message& m) {
  if (const auto* h = std::get_if<wire::lane_hello>(&m)) return take_hello(t, s, *h);
  if (const auto* p = std::get_if<wire::press>(&m)) return listener_.on_press(t, s.gateway(), *p);
  if (const auto* r = std::get_if<wire::press_report>(&m)) return listener_.on_report(t, s.gateway(), *r);
  if (const auto* b = std::get_if<wire::box_state>(&m)) listener_.on_box_state(t, s.gateway(), *b);
  return std::nullopt;
}

std::optional<refusal> lane_table::take_hello(desk_turn& t, device_session& s, const wire::lane_hello& h) {
  if (auto wrong = greet(t, s, h.protocol_version, h.gateway)) return wrong;
  log().info("up", {{"gw", s.gateway().text()}, {"version", h.firmware_version}});
  send(t, s.id(), wire::lane_welcome{.wall = t.wall});
  listener_.on_lane_up(t, s.gateway());
  return std::nullopt;
}

}  // namespace tomoshibi::relay
