// The inside of the gateway: its parts and the turn that joins them. Only gateway.cpp and gateway_parts.cpp include this.
#pragma once

#include "firmware/core/device_log.hpp"
#include "firmware/core/gateway.hpp"
#include "firmware/core/outbox.hpp"
#include "firmware/core/timeline.hpp"
#include "firmware/core/uplink.hpp"

namespace tomoshibi::firmware {

struct gateway::parts {
  parts(const gateway_setup& setup, outbox_store& store, std::span<drivers::driver* const> drivers, log_sink& log);

  // A turn: begin, what happened, end.
  void begin_turn(mono_time now, gateway_output& out);
  void end_turn(mono_time now, gateway_output& out);

  void take_loaded(mono_time now, gateway_output& out);
  void take_clock(mono_time now, const system_clock_reading& clock);
  void take_news(mono_time now, const uplink_news& news, gateway_output& out);
  void take_config(mono_time now, const wire::config& config, gateway_output& out);
  void apply_config(mono_time now, const wire::config& config, gateway_output& out);
  // What a driver said in its scratch output, which is emptied.
  void take_driver_output(mono_time now, std::size_t driver, gateway_output& out);
  void tell_buttons(mono_time now, const drivers::observation& what);
  void take_reading(mono_time now, const drivers::reading& reading);
  void take_missed(mono_time now, const drivers::reading_missed& missed);

  void plan(mono_time now, gateway_output& out);

  void add_event(wire::event_kind kind, std::int64_t value);
  void record_made(mono_time now);
  void catch_up_if_wanted(mono_time now);
  void commit(mono_time now);
  wall_at stamp(mono_time now) const;   // for records: now, or 0 while no time is known at all
  void refresh_statistics();

  gateway_setup setup;
  std::span<drivers::driver* const> devices;
  logger log;
  firmware::outbox outbox;
  firmware::timeline timeline;
  firmware::uplink uplink;
  device_log device_reports;
  wire::config config;                  // in force
  bool config_from_relay = false;
  std::uint32_t refused_version = 0;    // the last one told, so that it is told once
  aggregator_output made;               // of this turn, and of turns before the outbox was loaded
  drivers::driver_output scratch;
  outbox_epoch epoch{};
  std::optional<std::pair<mono_time, system_clock_reading>> early_clock;  // told before the outbox was loaded
  bool stopped = false;
  bool catch_up_wanted = false;
  std::uint64_t steps_seen = 0;
  std::uint64_t sessions_seen = 0;
  bool was_running = false;
  gateway_statistics stats;
};

}  // namespace tomoshibi::firmware
