#include "relay/core/blind_rule.hpp"

namespace tomoshibi::relay {

blind_cause cause_of(const blind_facts& f) {
  if (!f.has_gateway) return blind_cause::no_data;
  if (!f.line_up) return blind_cause::line_down;
  const bool devices = f.devices_unseen && *f.devices_unseen >= f.since;
  const bool off = f.gateway_off && *f.gateway_off >= f.since;
  if (devices && (!off || *f.devices_unseen > *f.gateway_off)) return blind_cause::device_silent;
  if (off) return blind_cause::gateway_off;
  if (f.since < f.relay_off_until) return blind_cause::relay_off;
  return blind_cause::no_data;
}

}  // namespace tomoshibi::relay
