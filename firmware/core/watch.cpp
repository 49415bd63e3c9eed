#include "firmware/core/watch.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint32_t eoj_max = 0xffffff;
constexpr std::uint32_t instance_mask = 0xff;
constexpr std::uint32_t poll_interval_s_max = 900;
constexpr std::uint32_t gap_limit_s_max = 3600;

std::uint64_t hash_of(std::string_view text) {  // FNV-1a, 64 bit
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

status invalid(std::size_t index, std::string_view what) {
  return fail(errc::config_invalid, "appliance " + std::to_string(index) + ": " + std::string{what});
}

status check_appliance(const wire::config& config, std::size_t index) {
  const auto& a = config.appliances[index];
  if (a.appliance == appliance_id{}) return invalid(index, "id: 1..65535");
  for (std::size_t i = 0; i < index; ++i) {
    if (config.appliances[i].appliance == a.appliance) return invalid(index, "id: used twice");
  }
  if (a.label.size() > wire::label_bytes_max) return invalid(index, "label: at most 48 bytes");
  if (a.node.size() > wire::device_key_max) return invalid(index, "node: at most 64 bytes");
  if (a.eoj <= instance_mask || a.eoj > eoj_max) return invalid(index, "eoj: 6 hex digits with a class");
  return {};
}

}  // namespace

status check_config(const wire::config& config) {
  if (config.poll_interval_s < 1 || config.poll_interval_s > poll_interval_s_max) {
    return fail(errc::config_invalid, "poll_interval_s: 1..900");
  }
  if (config.gap_limit_s < config.poll_interval_s || config.gap_limit_s > gap_limit_s_max) {
    return fail(errc::config_invalid, "gap_limit_s: poll_interval_s..3600");
  }
  if (config.appliances.size() > wire::appliances_max) return fail(errc::config_invalid, "appliance: at most 32");
  for (std::size_t i = 0; i < config.appliances.size(); ++i) {
    if (auto ok = check_appliance(config, i); !ok) return ok;
  }
  return {};
}

drivers::read_plan read_plan_for(const wire::config& config) {
  drivers::read_plan plan;
  plan.poll_interval = std::chrono::seconds{config.poll_interval_s};
  for (const auto& appliance : config.appliances) {
    drivers::watch watch;
    watch.node = appliance.node;
    watch.eoj = appliance.eoj;
    watch.wants_operation_status = appliance.on_rule == wire::on_rule_kind::operation_status;
    watch.wants_power = appliance.on_rule == wire::on_rule_kind::watts_above;
    watch.wants_sensor_state = appliance.on_rule == wire::on_rule_kind::sensor_state;
    watch.wants_energy = true;
    plan.watches.push_back(std::move(watch));
  }
  return plan;
}

bool serves(const wire::watched_appliance& appliance, std::string_view device, std::uint32_t eoj) {
  const std::uint32_t mask = (appliance.eoj & instance_mask) == 0 ? ~instance_mask : ~0u;
  if ((appliance.eoj & mask) != (eoj & mask)) return false;
  if (appliance.node.empty()) return true;
  // The key is "<node>/<eoj>"; an address of version 6 holds colons, never a slash.
  return device.substr(0, device.rfind('/')) == appliance.node;
}

appliance_reading reduce(const wire::watched_appliance& appliance, const drivers::reading& reading) {
  appliance_reading out;
  out.energy_wh = reading.energy_wh;
  if (reading.energy_wh) out.meter = hash_of(reading.device);
  out.polled = reading.polled;
  switch (appliance.on_rule) {
    case wire::on_rule_kind::operation_status:
      out.on = reading.operating;
      out.on_told = reading.told.operating;
      break;
    case wire::on_rule_kind::watts_above:
      out.on_told = reading.told.power_w;
      if (reading.power_w) out.on = *reading.power_w > static_cast<std::int64_t>(appliance.watts_above);
      break;
    case wire::on_rule_kind::sensor_state:
      out.on = reading.active;
      out.on_told = reading.told.active;
      break;
  }
  return out;
}

bool means_other(const wire::watched_appliance& a, const wire::watched_appliance& b) {
  return a.node != b.node || a.eoj != b.eoj || a.on_rule != b.on_rule || a.watts_above != b.watts_above;
}

}  // namespace tomoshibi::firmware
