#include "relay/core/session_table.hpp"

namespace tomoshibi::relay {

std::optional<refusal> session_table::take(turn& t, device_session& s, wire::message& m) {
  if (const auto* h = std::get_if<wire::hello>(&m)) return take_hello(t, s, *h);
  if (auto* r = std::get_if<wire::records>(&m)) return listener_.on_records(t, s.gateway(), std::move(*r));
  if (const auto* c = std::get_if<wire::config_applied>(&m)) listener_.on_config_applied(t, s.gateway(), *c);
  return std::nullopt;
}

std::optional<refusal> session_table::take_hello(turn& t, device_session& s, const wire::hello& h) {
  if (auto wrong = greet(t, s, h.protocol_version, h.gateway)) return wrong;
  s.config_version = h.config_version;
  log().info("live", {{"gw", s.gateway().text()}, {"version", h.firmware_version}, {"next_seq", h.next_seq}});
  send(t, s.id(), listener_.on_hello(t, s.gateway(), h));
  push_config(t, s);
  return std::nullopt;
}

void session_table::push_config(turn& t, device_session& s) {
  const wire::config* c = listener_.config_for(s.gateway());
  if (!c || c->version == s.config_version) return;
  s.config_version = c->version;
  send(t, s.id(), *c);
}

void session_table::push_configs(turn& t) {
  for_each_live([this, &t](device_session& s) { push_config(t, s); });
}

}  // namespace tomoshibi::relay
