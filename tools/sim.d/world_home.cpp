// The home's side of the world: devices and resident, the gateway's shell, the home network between them, power.
#include "tools/sim.d/world.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr millis power_back = 20s;         // after a cut that a fault of the disk or of an action made
constexpr millis service_restart = 5s;     // a gateway whose disk is damaged ends, and is started again
constexpr millis restart_slack = 10min;    // after power comes back: start, discovery, first readings
constexpr millis tick_every = 1min;        // how often the shell looks at the machine's clock

}  // namespace

void world::take_home(const event& e) {
  home& h = *homes_[e.home];
  if (e.kind == event_kind::home_wake) {
    if (e.at != lines_[e.home].home_wake) return;
    lines_[e.home].home_wake = never;
    h.on_home_wake(now_, said_);
  } else {
    h.on_home_datagram(now_, payloads_.at(e.payload), said_);
    payloads_.drop(e.payload);
  }
  home_said(e.home);
}

void world::home_said(std::uint32_t h) {
  for (const auto& d : said_) {
    ++statistics_.datagrams;
    push(now_ + lan_delay, event_kind::to_gateway, h, payloads_.keep(d.payload));
  }
  said_.clear();
  arm_home(h);
}

void world::arm_home(std::uint32_t h) {
  const mono_time next = std::max(homes_[h]->home_next(), now_);
  if (next == never || next >= lines_[h].home_wake) return;
  lines_[h].home_wake = next;
  push(next, event_kind::home_wake, h);
}

// ---- the gateway's shell

void world::take_gateway(const event& e) {
  home& h = *homes_[e.home];
  if (opt_.leaks == options::leak::gateways) leak(memory_of_home(e.home));
  switch (e.kind) {
    case event_kind::gateway_restart:
      if (now_ >= boxes_[e.home].back_at) gateway_on(e.home);
      return;
    case event_kind::gateway_wake:
      if (e.at != lines_[e.home].gateway_wake || !h.on()) return;
      lines_[e.home].gateway_wake = never;
      h.on_wake(now_, gateway_out_);
      break;
    case event_kind::clock_tick:
      boxes_[e.home].ticking = true;
      if (!h.on()) return;
      if (e.life == h.boots()) push(now_ + tick_every, event_kind::clock_tick, e.home, 0, e.life);
      h.on_clock(now_, gateway_out_);
      break;
    default:
      if (h.on()) h.on_datagram(now_, payloads_.at(e.payload), gateway_out_);
      payloads_.drop(e.payload);
      if (!h.on()) return;
  }
  gateway_said(e.home);
}

void world::gateway_said(std::uint32_t h) {
  for (const auto& d : gateway_out_.datagrams) {
    if (!gateway_does(h)) return gateway_out_.clear();
    ++statistics_.datagrams;
    push(now_ + lan_delay, event_kind::to_home, h, payloads_.keep(d.datagram.payload));
  }
  for (const auto& action : gateway_out_.link) {
    if (!gateway_does(h)) return gateway_out_.clear();
    if (const auto* open = std::get_if<firmware::link_open>(&action)) {
      dial(h, open->link);
    } else if (const auto* send = std::get_if<firmware::link_send>(&action)) {
      send_to_relay(h, *send);
    } else if (lines_[h].open) {
      push(std::max(now_, lines_[h].to_relay_free), event_kind::line_closed_to_relay, h, 0, lines_[h].life);
    }
  }
  gateway_out_.clear();
  look_at_gateway(h);
  arm_gateway(h);
}

bool world::gateway_does(std::uint32_t h) {
  if (boxes_[h].cut_after == 0 || --boxes_[h].cut_after > 0) return true;
  gateway_off(h, now_ + power_back);
  return false;
}

void world::look_at_gateway(std::uint32_t h) {
  if (homes_[h]->flash().power_is_cut()) return gateway_off(h, now_ + power_back);
  if (homes_[h]->flash().damaged()) return gateway_off(h, now_ + service_restart);
  box& b = boxes_[h];
  if (b.settled) return;
  home& one = *homes_[h];
  // Until it knows the time and what to watch, what it sees is in memory only, or is not seen at all.
  b.settled = one.config_version() != 0 && one.statistics().clock_known;
  if (!b.settled) return;
  one.truth().may_be_unknown.add(wall_of(b.lost_from), wall() + restart_slack);
  if (!b.anew) return;
  // The log was begun anew: what the relay has not got is nowhere.
  b.anew = false;
  b.unwritten = one.statistics().commits;
  const wall_at lost_from = b.told ? end_of(*b.told) : wall_of(mono_time{});
  one.truth().may_be_absent.add(lost_from, wall() + restart_slack);
  one.truth().may_be_unknown.add(lost_from, wall() + restart_slack);
  for (auto& m : one.truth().meters) m.unbounded_below = true;
}

void world::arm_gateway(std::uint32_t h) {
  if (!homes_[h]->on()) return;
  const mono_time next = std::max(homes_[h]->gateway_next(), now_);
  if (next == never || next >= lines_[h].gateway_wake) return;
  lines_[h].gateway_wake = next;
  push(next, event_kind::gateway_wake, h);
}

// ---- power

void world::gateway_on(std::uint32_t h) {
  home& one = *homes_[h];
  if (one.on()) return;
  one.truth().may_be_unknown.add(wall_of(boxes_[h].lost_from), wall() + restart_slack);
  boxes_[h].settled = false;
  boxes_[h].cut_after = 0;
  one.power_up(now_, gateway_out_);
  // Seen here, because the power may go again in this very turn, with the new log durable and what it replaced forgotten.
  boxes_[h].anew = boxes_[h].anew || one.flash().begun_anew();
  gateway_said(h);
  // Where the relay's clock is wrong, a machine's own is what keeps its gateway from believing the relay.
  const bool outranks = (plan_.relay_clock_jumps() || plan_.has(fault_kind::relay_clock_drift)) &&
                        one.traits().time_service;
  if (one.on() && (boxes_[h].ticking || outranks))
    push(now_ + tick_every, event_kind::clock_tick, h, 0, outranks ? one.boots() : 0);
}

void world::gateway_off(std::uint32_t h, mono_time until) {
  box& b = boxes_[h];
  b.back_at = std::max(b.back_at, until);
  push(b.back_at, event_kind::gateway_restart, h);
  home& one = *homes_[h];
  if (!one.on()) return;
  ++statistics_.gateway_cuts;
  // What is gone: all since now; what was never durable; or, before it knew the time, all since the last time it did.
  const auto& s = one.statistics();
  if (b.settled) b.lost_from = now_;
  if (s.records_pending > 0 || !s.storage_ok) {
    b.lost_from = std::min(b.lost_from, b.disk_trouble.value_or(now_));
    // The meters' last reading goes back as far: what a reset since then took away is more than around the reset.
    for (auto& m : one.truth().meters) m.unbounded_below = true;
  }
  // A new log that never took a checkpoint does not show that there was anything.
  b.anew = b.anew || (b.unwritten && s.commits == *b.unwritten);
  b.unwritten.reset();
  // A disk that is still full or failing takes nothing of the next life either: all of that is in memory only, from its start.
  b.disk_trouble = now_ < b.disk_bad_until ? std::optional{now_} : std::nullopt;
  one.power_cut(now_);
  lines_[h].gateway_wake = never;
  lose_connection(h, false, false);
}

}  // namespace tomoshibi::sim
