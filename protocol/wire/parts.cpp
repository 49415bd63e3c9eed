#include "protocol/wire/parts.hpp"

#include "protocol/base/check.hpp"
#include "protocol/wire/pb_values.hpp"

#include <limits>

namespace tomoshibi::wire {
namespace {

constexpr std::int64_t time_max_ms = to_ms(end_of(slot_index{slot_value_max}));
constexpr std::uint32_t poll_interval_max_s = 900;
constexpr std::uint32_t gap_limit_max_s = 3600;
constexpr std::uint32_t eoj_max = 0xffffff;

bool take_slot(std::int32_t value, slot_index& out) {
  out.value = value;
  return value >= 0 && value <= slot_value_max;
}

template <class T>
bool take_small(std::uint32_t value, T& out, std::uint32_t max = std::numeric_limits<T>::max()) {
  out = static_cast<T>(value);
  return value <= max;
}

bool take_appliance(std::uint32_t value, appliance_id& out) {
  out = static_cast<appliance_id>(value);
  return value >= 1 && value <= std::numeric_limits<std::uint16_t>::max();
}

bool take_optional_appliance(std::uint32_t value, std::optional<appliance_id>& out) {
  if (value == 0) return true;
  return take_appliance(value, out.emplace());
}

std::uint32_t number_of(const std::optional<appliance_id>& id) {
  return id ? static_cast<std::uint32_t>(*id) : 0;
}

// Records cannot be refused by their encoder: what is over the limit is left out, and that is a fault of ours.
template <class T>
std::size_t count_within(const std::vector<T>& list) {
  return TOMO_CHECK(list.size() <= appliances_max) ? list.size() : appliances_max;
}

}  // namespace

bool time_in_range(std::int64_t ms) { return ms >= 0 && ms <= time_max_ms; }

// ---- hello, welcome

bool to_pb(const hello& v, tomoshibi_v1_Hello& p) {
  p.protocol_version = v.protocol_version;
  put_text(v.gateway, p.gateway);
  p.boot = v.boot;
  put_text(v.firmware_version, p.firmware_version);
  p.epoch = static_cast<std::uint64_t>(v.epoch);
  p.oldest_seq = v.oldest_seq;
  p.next_seq = v.next_seq;
  p.config_version = v.config_version;
  p.has_wall_ms = v.wall.has_value();
  if (v.wall) p.wall_ms = to_ms(*v.wall);
  p.clock_synced = v.clock_synced;
  return true;
}

bool from_pb(const tomoshibi_v1_Hello& p, hello& v) {
  v.protocol_version = p.protocol_version;
  v.gateway = p.gateway;
  v.boot = p.boot;
  v.firmware_version = p.firmware_version;
  v.epoch = static_cast<outbox_epoch>(p.epoch);
  v.oldest_seq = p.oldest_seq;
  v.next_seq = p.next_seq;
  v.config_version = p.config_version;
  v.clock_synced = p.clock_synced;
  if (p.has_wall_ms && !take_time(p.wall_ms, v.wall.emplace())) return false;
  return v.oldest_seq >= 1 && v.oldest_seq <= v.next_seq;
}

bool to_pb(const welcome& v, tomoshibi_v1_Welcome& p) {
  p.protocol_version = v.protocol_version;
  p.acked_seq = v.acked_seq;
  p.wall_ms = to_ms(v.wall);
  p.config_version = v.config_version;
  return true;
}

bool from_pb(const tomoshibi_v1_Welcome& p, welcome& v) {
  v.protocol_version = p.protocol_version;
  v.acked_seq = p.acked_seq;
  v.config_version = p.config_version;
  return take_time(p.wall_ms, v.wall);
}

// ---- records

bool to_pb(const slot_closed& v, tomoshibi_v1_SlotClosed& p) {
  p.slot = v.slot.value;
  p.time_uncertain = v.time_uncertain;
  p.appliance_count = static_cast<pb_size_t>(count_within(v.appliances));
  for (std::size_t i = 0; i < p.appliance_count; ++i) {
    const appliance_slot& from = v.appliances[i];
    tomoshibi_v1_ApplianceSlot& to = p.appliance[i];
    to.appliance = static_cast<std::uint32_t>(from.appliance);
    to.state = as_pb<tomoshibi_v1_SlotState>(from.state);
    to.on_seconds = from.on_seconds;
    to.has_energy_wh = from.energy_wh.has_value();
    to.energy_wh = from.energy_wh.value_or(0);
    to.energy_after_gap = from.energy_after_gap;
    to.readings_expected = from.readings_expected;
    to.readings_got = from.readings_got;
  }
  return true;
}

bool to_pb(const slot_gap& v, tomoshibi_v1_SlotGap& p) {
  p.first_slot = v.first_slot.value;
  p.count = v.count;
  p.reason = as_pb<tomoshibi_v1_GapReason>(v.reason);
  p.time_uncertain = v.time_uncertain;
  p.appliance_count = static_cast<pb_size_t>(count_within(v.appliances));
  for (std::size_t i = 0; i < p.appliance_count; ++i)
    p.appliance[i] = static_cast<std::uint32_t>(v.appliances[i]);
  return true;
}

bool from_pb(const tomoshibi_v1_SlotGap& p, slot_gap& v) {
  v.time_uncertain = p.time_uncertain;
  v.count = p.count;
  v.appliances.resize(p.appliance_count);
  for (std::size_t i = 0; i < p.appliance_count; ++i)
    if (!take_appliance(p.appliance[i], v.appliances[i])) return false;
  return take_slot(p.first_slot, v.first_slot) && v.count >= 1 && v.count <= gap_slots_max &&
         listed(p.reason, gap_reason::no_clock, v.reason);
}

bool to_pb(const device_report& v, tomoshibi_v1_DeviceReport& p) {
  put_text(v.device, p.device);
  p.change = as_pb<tomoshibi_v1_DeviceChange>(v.change);
  p.maker = v.maker;
  p.appliance = number_of(v.appliance);
  p.since_ms = to_ms(v.since);
  return true;
}

bool from_pb(const tomoshibi_v1_DeviceReport& p, device_report& v) {
  v.device = p.device;
  v.maker = p.maker;
  return listed(p.change, device_change::back, v.change) && take_optional_appliance(p.appliance, v.appliance) &&
         take_time(p.since_ms, v.since);
}

bool to_pb(const device_fault& v, tomoshibi_v1_DeviceFault& p) {
  put_text(v.device, p.device);
  p.faulty = v.faulty;
  p.description = v.description;
  p.appliance = number_of(v.appliance);
  return true;
}

bool from_pb(const tomoshibi_v1_DeviceFault& p, device_fault& v) {
  v.device = p.device;
  v.faulty = p.faulty;
  v.description = p.description;
  return take_optional_appliance(p.appliance, v.appliance);
}

bool to_pb(const event& v, tomoshibi_v1_Event& p) {
  p.kind = as_pb<tomoshibi_v1_EventKind>(v.kind);
  p.value = v.value;
  return true;
}

bool from_pb(const tomoshibi_v1_Event& p, event& v) {
  v.value = p.value;
  return listed(p.kind, event_kind::meter_rebased, v.kind);
}

// ---- configuration

bool to_pb(const config& v, tomoshibi_v1_Config& p) {
  if (v.appliances.size() > appliances_max) return false;
  p.version = v.version;
  p.poll_interval_s = v.poll_interval_s;
  p.gap_limit_s = v.gap_limit_s;
  p.appliance_count = static_cast<pb_size_t>(v.appliances.size());
  for (std::size_t i = 0; i < p.appliance_count; ++i) {
    const watched_appliance& from = v.appliances[i];
    tomoshibi_v1_WatchedAppliance& to = p.appliance[i];
    to.appliance = static_cast<std::uint32_t>(from.appliance);
    put_text(from.label, to.label);
    put_text(from.node, to.node);
    to.eoj = from.eoj;
    to.on_rule = as_pb<tomoshibi_v1_OnRuleKind>(from.on_rule);
    to.watts_above = from.watts_above;
    to.power_w_max = from.power_w_max;
  }
  return true;
}

static bool from_pb(const tomoshibi_v1_WatchedAppliance& p, watched_appliance& v) {
  v.label = p.label;
  v.node = p.node;
  v.eoj = p.eoj;
  v.watts_above = p.watts_above;
  if (p.power_w_max != 0) v.power_w_max = p.power_w_max;
  return take_appliance(p.appliance, v.appliance) && v.eoj <= eoj_max &&
         listed(p.on_rule, on_rule_kind::sensor_state, v.on_rule);
}

bool from_pb(const tomoshibi_v1_Config& p, config& v) {
  v.version = p.version;
  v.poll_interval_s = p.poll_interval_s;
  v.gap_limit_s = p.gap_limit_s;
  v.appliances.resize(p.appliance_count);
  for (std::size_t i = 0; i < p.appliance_count; ++i)
    if (!from_pb(p.appliance[i], v.appliances[i])) return false;
  return v.poll_interval_s >= 1 && v.poll_interval_s <= poll_interval_max_s && v.gap_limit_s >= v.poll_interval_s &&
         v.gap_limit_s <= gap_limit_max_s;
}

bool to_pb(const config_applied& v, tomoshibi_v1_ConfigApplied& p) {
  p.version = v.version;
  p.accepted = v.accepted;
  put_text(v.reason, p.reason);
  return true;
}

bool from_pb(const tomoshibi_v1_ConfigApplied& p, config_applied& v) {
  v.version = p.version;
  v.accepted = p.accepted;
  v.reason = p.reason;
  return true;
}

// ---- the small ones

bool to_pb(const ack& v, tomoshibi_v1_Ack& p) {
  p.acked_seq = v.acked_seq;
  return true;
}

bool from_pb(const tomoshibi_v1_Ack& p, ack& v) {
  v.acked_seq = p.acked_seq;
  return true;
}

bool to_pb(const ping& v, tomoshibi_v1_Ping& p) {
  p.nonce = v.nonce;
  return true;
}

bool from_pb(const tomoshibi_v1_Ping& p, ping& v) {
  v.nonce = p.nonce;
  return true;
}

bool to_pb(const pong& v, tomoshibi_v1_Pong& p) {
  p.nonce = v.nonce;
  p.has_wall_ms = v.wall.has_value();
  if (v.wall) p.wall_ms = to_ms(*v.wall);
  return true;
}

bool from_pb(const tomoshibi_v1_Pong& p, pong& v) {
  v.nonce = p.nonce;
  return !p.has_wall_ms || take_time(p.wall_ms, v.wall.emplace());
}

bool to_pb(const bye& v, tomoshibi_v1_Bye& p) {
  p.reason = as_pb<tomoshibi_v1_ByeReason>(v.reason);
  put_text(v.text, p.text);
  return true;
}

bool from_pb(const tomoshibi_v1_Bye& p, bye& v) {
  v.text = p.text;
  return listed(p.reason, bye_reason::unknown_gateway, v.reason);
}

}  // namespace tomoshibi::wire
