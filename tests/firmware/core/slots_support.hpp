// Short names for tests of slots and records.
#pragma once

#include "firmware/core/aggregator.hpp"

#include <map>

namespace tomoshibi::firmware {

inline constexpr slot_index slot0{1'900'000};  // some quarter of an hour in 2024
inline wall_at in_slot(int slot, std::int64_t ms) { return start_of(slot0 + slot) + millis{ms}; }
inline constexpr std::int64_t slot_ms = 900'000;

inline wire::watched_appliance appliance(std::uint16_t id, std::uint32_t eoj = 0x060200) {
  wire::watched_appliance a;
  a.appliance = appliance_id{id};
  a.label = "appliance";
  a.eoj = eoj;
  return a;
}
inline wire::config config_of(std::vector<wire::watched_appliance> appliances, std::uint32_t gap_s = 180) {
  wire::config config;
  config.version = 1;
  config.poll_interval_s = 60;
  config.gap_limit_s = gap_s;
  config.appliances = std::move(appliances);
  return config;
}
inline appliance_reading state_reading(bool on) {
  appliance_reading r;
  r.on = on;
  return r;
}
inline appliance_reading meter_reading(bool on, std::uint32_t wh, std::uint64_t meter = 1) {
  auto r = state_reading(on);
  r.energy_wh = wh;
  r.meter = meter;
  return r;
}

template <class T>
std::vector<T> only(const aggregator_output& out) {
  std::vector<T> found;
  for (const auto& body : out.records) {
    if (const auto* one = std::get_if<T>(&body)) found.push_back(*one);
  }
  return found;
}

// The aggregator with one output, fed in the order that the timeline uses.
struct bench {
  aggregator slots;
  aggregator_output out;

  void configure(const wire::config& config, std::optional<wall_at> at = {}) { slots.configure(config, at); }
  void begin(wall_at at, bool uncertain = false) { slots.begin(at, uncertain, out); }
  void advance(wall_at to, wire::gap_reason why = wire::gap_reason::gateway_off) { slots.advance(to, why, out); }
  void read(wall_at at, const appliance_reading& reading, std::size_t index = 0) {
    advance(at);
    slots.on_reading(at, index, reading, out);
  }
  // A reading every `every` in [from, to).
  void hold(wall_at from, wall_at to, bool on, millis every = 60s) {
    for (wall_at at = from; at < to; at += every) read(at, state_reading(on));
  }
  std::vector<wire::slot_closed> closed() const { return only<wire::slot_closed>(out); }
  wire::appliance_slot cell(std::size_t slot, std::size_t index = 0) const { return closed().at(slot).appliances.at(index); }
};

}  // namespace tomoshibi::firmware
