#include "tools/home/household.hpp"

#include "drivers/echonet/twin/presets.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi::home {

namespace twin = drivers::echonet::twin;

household::household(const mapping& map, std::vector<device_change> timeline, const std::vector<scripted_fault>& faults,
                     const household_options& options)
    : options_(options), timeline_(std::move(timeline)) {
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    const mapped_node& n = map.nodes[i];
    node_names_.push_back(n.name);
    nodes_.emplace_back(twin::twin_options{.identity = twin::identity_of(n.number),
                                           .answer_delay = millis{n.answer_delay_ms},
                                           .seed = options.seed + i});
  }
  add_devices(map);
  add_faults(map, faults);
}

void household::add_devices(const mapping& map) {
  for (const mapped_device& d : map.devices) {
    const auto node = std::ranges::find(map.nodes, d.node, &mapped_node::name);
    TOMO_REQUIRE(node != map.nodes.end());
    const auto index = static_cast<std::size_t>(node - map.nodes.begin());
    twin::twin_object& object = nodes_[index].add_object(d.eoj);
    if (object.metered() && (d.watts_idle || d.watts_used)) {
      object.make_metered(d.watts_idle.value_or(object.watts_when(false)), d.watts_used.value_or(object.watts_when(true)));
    }
    const twin::use_property use = twin::use_of(d.eoj.code());
    const twin::twin_property* property = object.find(use.epc);
    if (d.announce && property != nullptr && (property->access & twin::can_inf) == 0) {
      object.define(use.epc, property->access | twin::can_inf, {use.unused});
    }
    devices_.push_back({.node = index, .eoj = d.eoj});
  }
}

void household::add_faults(const mapping& map, const std::vector<scripted_fault>& faults) {
  for (const scripted_fault& f : faults) {
    const twin::fault what{.kind = f.kind,
                           .from = mono_of(f.at),
                           .to = f.until ? mono_of(*f.until) : never,
                           .amount = f.amount,
                           .per_mille = f.per_mille};
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (f.node == "*" || f.node == map.nodes[i].name) nodes_[i].add_fault(what);
    }
  }
}

void household::on_start(mono_time now, std::vector<outgoing>& out) {
  while (next_change_ < timeline_.size() && mono_of(timeline_[next_change_].at) < now) {
    play(now, timeline_[next_change_++], false, out);
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].on_start(now, scratch_);
    take(i, out);
  }
}

void household::on_datagram(mono_time now, std::size_t node, const endpoint& from, byte_view payload,
                            std::vector<outgoing>& out) {
  nodes_[node].on_datagram(now, from, payload, scratch_);
  take(node, out);
}

void household::on_wake(mono_time now, std::vector<outgoing>& out) {
  while (next_change_ < timeline_.size() && mono_of(timeline_[next_change_].at) <= now) {
    play(now, timeline_[next_change_++], true, out);
  }
  std::vector<hand_on_button> let_go;
  std::erase_if(held_, [now, &let_go](const held_button& h) {
    if (h.until <= now) let_go.push_back(h.hand);
    return h.until <= now;
  });
  for (const hand_on_button& hand : let_go) touch(now, hand, out);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].next_wake() > now) continue;
    nodes_[i].on_wake(now, scratch_);
    take(i, out);
  }
}

mono_time household::next_wake() const {
  mono_time out = next_change_ < timeline_.size() ? mono_of(timeline_[next_change_].at) : never;
  for (const auto& node : nodes_) out = std::min(out, node.next_wake());
  for (const held_button& h : held_) out = std::min(out, h.until);
  return out;
}

bool household::touch(mono_time now, const hand_on_button& hand, std::vector<outgoing>& out) {
  const auto name = std::ranges::find(node_names_, hand.node);
  if (name == node_names_.end()) return false;
  const auto index = static_cast<std::size_t>(name - node_names_.begin());
  if (nodes_[index].find(hand.object) == nullptr || held_.size() >= hands_max) return false;
  nodes_[index].set_use(now, hand.object, hand.pressed, hand.tell, scratch_);
  take(index, out);
  if (!hand.pressed || hand.hold == millis{0}) return true;
  held_.push_back({now + hand.hold, hand});
  held_.back().hand.pressed = false;
  return true;
}

void household::play(mono_time now, const device_change& change, bool tell, std::vector<outgoing>& out) {
  const placed_device& device = devices_[change.device];
  twin::twin_node& node = nodes_[device.node];
  node.set_use(now, device.eoj, change.used, tell ? twin::notice::inf : twin::notice::none, scratch_);
  if (change.watts) node.set_load(now, device.eoj, *change.watts);
  take(device.node, out);
}

void household::take(std::size_t node, std::vector<outgoing>& out) {
  for (drivers::datagram& d : scratch_) out.push_back({.node = node, .what = std::move(d)});
  scratch_.clear();
}

}  // namespace tomoshibi::home
