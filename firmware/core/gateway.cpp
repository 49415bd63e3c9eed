#include "firmware/core/gateway.hpp"

#include "firmware/core/gateway_parts.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

gateway::gateway(const gateway_setup& setup, outbox_store& store, std::span<drivers::driver* const> drivers,
                 log_sink& log)
    : parts_(std::make_unique<parts>(setup, store, drivers, log)) {}

gateway::~gateway() = default;

void gateway::on_start(mono_time now, const system_clock_reading& clock, gateway_output& out) {
  parts& p = *parts_;
  p.timeline.on_start(now);
  for (std::size_t i = 0; i < p.devices.size(); ++i) {
    p.devices[i]->on_start(now, p.scratch);
    p.take_driver_output(now, i, out);
  }
  p.begin_turn(now, out);
  p.take_clock(now, clock);
  p.end_turn(now, out);
}

void gateway::on_system_clock(mono_time now, const system_clock_reading& clock, gateway_output& out) {
  parts_->begin_turn(now, out);
  parts_->take_clock(now, clock);
  parts_->end_turn(now, out);
}

void gateway::on_relay_time(mono_time now, const relay_time& time, gateway_output& out) {
  parts_->begin_turn(now, out);
  const relay_time aged{time.told + (now - time.heard), time.round_trip, now};
  if (parts_->outbox.loaded()) parts_->take_news(now, {.time = aged, .config = {}}, out);   // else the device channel tells it
  parts_->end_turn(now, out);
}

void gateway::on_datagram(mono_time now, std::size_t driver, const endpoint& from, byte_view payload,
                          gateway_output& out) {
  parts& p = *parts_;
  if (!TOMO_CHECK(driver < p.devices.size())) return;
  p.begin_turn(now, out);
  ++p.stats.datagrams_in;
  p.devices[driver]->on_datagram(now, from, payload, p.scratch);
  p.take_driver_output(now, driver, out);
  p.end_turn(now, out);
}

void gateway::on_link_open(mono_time now, link_number link, gateway_output& out) {
  parts& p = *parts_;
  p.begin_turn(now, out);
  hello_facts facts;
  facts.config_version = p.config_from_relay ? p.config.version : 0;
  facts.wall = p.timeline.clock().guess(now);
  facts.clock_synced = p.timeline.clock().synced();
  p.uplink.on_link_open(now, link, facts, out);
  p.end_turn(now, out);
}

void gateway::on_link_bytes(mono_time now, link_number link, byte_view data, gateway_output& out) {
  parts& p = *parts_;
  p.begin_turn(now, out);
  uplink_news news;
  p.uplink.on_link_bytes(now, link, data, out, news);
  p.take_news(now, news, out);
  p.end_turn(now, out);
}

void gateway::on_link_closed(mono_time now, link_number link, const error& why, gateway_output& out) {
  parts_->begin_turn(now, out);
  parts_->uplink.on_link_closed(now, link, why);
  parts_->end_turn(now, out);
}

void gateway::on_relay_changed(mono_time now, bool addresses, gateway_output& out) {
  parts_->begin_turn(now, out);
  parts_->uplink.on_relay_changed(now, addresses, out);
  parts_->end_turn(now, out);
}

void gateway::on_wake(mono_time now, gateway_output& out) {
  parts& p = *parts_;
  p.begin_turn(now, out);
  for (std::size_t i = 0; i < p.devices.size(); ++i) {
    if (p.devices[i]->next_wake() > now) continue;
    p.devices[i]->on_wake(now, p.scratch);
    p.take_driver_output(now, i, out);
  }
  p.uplink.on_wake(now, out);
  p.end_turn(now, out);
}

void gateway::on_stop(mono_time now, gateway_output& out) {
  parts& p = *parts_;
  p.begin_turn(now, out);
  p.made.checkpoint_wanted = true;
  p.end_turn(now, out);
  p.uplink.on_stop(now, out);
  p.stopped = true;
}

mono_time gateway::next_wake() const {
  const parts& p = *parts_;
  if (p.stopped) return never;
  mono_time next = std::min({p.timeline.next_wake(), p.uplink.next_wake(), p.outbox.next_wake()});
  for (const auto* driver : p.devices) next = std::min(next, driver->next_wake());
  return next;
}

wall_at gateway::wall(mono_time now) const { return parts_->stamp(now); }

const gateway_statistics& gateway::statistics() const {
  parts_->refresh_statistics();
  return parts_->stats;
}

const wire::config& gateway::config() const { return parts_->config; }

}  // namespace tomoshibi::firmware
