// The home's side of the world: devices and resident, the gateway's shell, the home network between them.
#include "tools/sim.d/world.hpp"

namespace tomoshibi::sim {
namespace {

const endpoint node{node_address, 3610};
constexpr millis power_back = 20s;

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

void world::take_gateway(const event& e) {
  home& h = *homes_[e.home];
  line& l = lines_[e.home];
  switch (e.kind) {
    case event_kind::gateway_cut:
      if (!h.gateway()) return;
      ++statistics_.gateway_cuts;
      h.power_cut();
      l.gateway_wake = never;
      lose_connection(e.home, false, false);
      return;
    case event_kind::gateway_restart:
      if (h.gateway()) return;
      h.power_up(now_, gateway_out_);
      break;
    case event_kind::gateway_wake:
      if (e.at != l.gateway_wake || !h.gateway()) return;
      l.gateway_wake = never;
      h.gateway()->on_wake(now_, gateway_out_);
      break;
    default:
      if (h.gateway()) h.gateway()->on_datagram(now_, 0, node, payloads_.at(e.payload), gateway_out_);
      payloads_.drop(e.payload);
      if (!h.gateway()) return;
  }
  gateway_said(e.home);
  if (!h.flash().power_is_cut()) return;
  // A fault of the disk took the power away; what the gateway said in that turn may have left or not.
  push(now_, event_kind::gateway_cut, e.home);
  push(now_ + power_back, event_kind::gateway_restart, e.home);
}

void world::gateway_said(std::uint32_t h) {
  for (const auto& d : gateway_out_.datagrams) {
    ++statistics_.datagrams;
    if (random_.chance(weights_.datagram_lost_per_mille)) continue;
    push(now_ + lan_delay, event_kind::to_home, h, payloads_.keep(d.datagram.payload));
  }
  for (const auto& action : gateway_out_.link) {
    if (const auto* open = std::get_if<firmware::link_open>(&action)) {
      dial(h, open->link);
    } else if (const auto* send = std::get_if<firmware::link_send>(&action)) {
      send_to_relay(h, *send);
    } else if (lines_[h].open) {
      push(std::max(now_, lines_[h].to_relay_free), event_kind::line_closed_to_relay, h, 0, lines_[h].life);
    }
  }
  gateway_out_.clear();
  arm_gateway(h);
}

void world::arm_gateway(std::uint32_t h) {
  if (!homes_[h]->gateway()) return;
  const mono_time next = std::max(homes_[h]->gateway()->next_wake(), now_);
  if (next == never || next >= lines_[h].gateway_wake) return;
  lines_[h].gateway_wake = next;
  push(next, event_kind::gateway_wake, h);
}

}  // namespace tomoshibi::sim
