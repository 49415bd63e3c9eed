#include "tools/sim.d/world.hpp"

#include <cstdio>

namespace tomoshibi::sim {
namespace {

constexpr std::uint64_t fnv_prime = 0x100000001b3;
constexpr millis restart_slack = 10min;  // after power comes back: start, discovery, first readings

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) { return (hash ^ value) * fnv_prime; }

}  // namespace

world::world(const options& opt, disk_factory& disks)
    : opt_(opt), random_(opt.seed), weights_(draw_weights(random_.fork())) {
  calm_ = mono_time{} + opt.days * 24h;
  end_ = calm_ + opt.calm_days * 24h;
  for (std::uint32_t h = 0; h < opt.homes; ++h) homes_.push_back(std::make_unique<home>(h, opt, random_.fork(), disks));
  lines_.resize(opt.homes);
  first_counters_.resize(opt.homes);
  disk_ = disks.relay(make_directory(), random_.next());
  schedule_faults();
}

world::~world() = default;

void world::schedule_faults() {
  gateway_outages_.resize(opt_.homes);
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    gateway_outages_[h] = draw_outages(random_.fork(), weights_.gateway, calm_);
    for (const outage& o : gateway_outages_[h]) {
      push(o.from, event_kind::gateway_cut, h);
      push(o.until, event_kind::gateway_restart, h);
    }
    for (const outage& o : draw_outages(random_.fork(), weights_.line, calm_)) {
      push(o.from, event_kind::line_cut, h);
      push(o.until, event_kind::line_restored, h);
    }
  }
  for (const outage& o : draw_outages(random_.fork(), weights_.relay, calm_)) {
    push(o.from, event_kind::relay_cut);
    push(o.until, event_kind::relay_restart);
  }
}

bool world::blind_allowed(std::uint32_t h, slot_index slot) const {
  if (start_of(slot) < wall_of(mono_time{}) + restart_slack) return true;
  for (const outage& o : gateway_outages_[h])
    if (wall_of(o.from) < end_of(slot) && start_of(slot) < wall_of(o.until) + restart_slack) return true;
  return false;
}

void world::run() {
  start_relay();
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    homes_[h]->start_devices(now_, said_);
    home_said(h);
    homes_[h]->power_up(now_, gateway_out_);
    gateway_said(h);
  }
  while (!heap_.empty() && heap_.next() < end_) {
    if (last_counters_.empty() && heap_.next() >= end_ - 1h)
      for (std::uint32_t h = 0; h < opt_.homes; ++h) last_counters_.push_back(read_meters(h));
    const event e = heap_.pop();
    now_ = e.at;
    ++statistics_.events;
    statistics_.trace_hash = mix(mix(mix(statistics_.trace_hash, static_cast<std::uint64_t>(to_ms(e.at))),
                                     static_cast<std::uint64_t>(e.kind)), e.home);
    take(e);
    if (opt_.progress && statistics_.events % 1'000'000 == 0) report_progress();
  }
  now_ = end_;
  if (opt_.progress) std::fputc('\n', stderr);
}

world::counters world::read_meters(std::uint32_t h) {
  counters all;
  for (const auto& a : homes_[h]->appliances()) all.push_back(homes_[h]->metered(a) ? homes_[h]->counter_wh(a, now_) : 0);
  return all;
}

std::uint64_t world::counter_at_first_slot(std::uint32_t h, appliance_id appliance) const {
  return first_counters_[h].empty() ? UINT32_MAX : first_counters_[h][static_cast<std::size_t>(appliance) - 1];
}

std::uint64_t world::counter_before_end(std::uint32_t h, appliance_id appliance) const {
  return last_counters_[h][static_cast<std::size_t>(appliance) - 1];
}

void world::take(const event& e) {
  switch (e.kind) {
    case event_kind::home_wake:
    case event_kind::to_home: return take_home(e);
    case event_kind::to_gateway:
    case event_kind::gateway_wake:
    case event_kind::gateway_cut:
    case event_kind::gateway_restart: return take_gateway(e);
    case event_kind::line_opened:
    case event_kind::line_refused:
    case event_kind::line_to_relay:
    case event_kind::line_to_gateway:
    case event_kind::line_closed_to_relay:
    case event_kind::line_closed_to_gateway:
    case event_kind::line_cut:
    case event_kind::line_restored: return take_line(e);
    case event_kind::relay_wake:
    case event_kind::relay_cut:
    case event_kind::relay_restart:
    case event_kind::commit_done:
    case event_kind::mail_done: return take_relay(e);
  }
}

void world::report_progress() {
  std::fprintf(stderr, "\rday %lld of %d, %llu M events", static_cast<long long>(to_ms(now_) / 86'400'000),
               opt_.days + opt_.calm_days, static_cast<unsigned long long>(statistics_.events / 1'000'000));
}

}  // namespace tomoshibi::sim
