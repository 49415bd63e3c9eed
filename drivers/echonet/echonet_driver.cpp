#include "drivers/echonet/echonet_driver.hpp"

#include "drivers/echonet/emergency_notice.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

echonet_driver::echonet_driver(const driver_setup& setup)
    : context_{{}, prng{setup.seed}, logger{setup.log != nullptr ? *setup.log : null_log(), "echonet"}},
      own_(setup.identity),
      table_(context_, own_.identification()) {}

void echonet_driver::on_start(mono_time now, driver_output& out) {
  own_.on_start(now, out.datagrams);
  discovery_.on_start(now);
  on_wake(now, out);
}

void echonet_driver::on_plan(mono_time now, const read_plan& plan, driver_output& out) {
  context_.plan = plan;
  for (const auto& node : table_.nodes()) node->on_plan(now);
  on_wake(now, out);
}

void echonet_driver::search(mono_time now, driver_output& out) {
  if (!discovery_.take_due(now)) return;
  search_tid_ = static_cast<std::uint16_t>(context_.random.below(0xffff) + 1);
  datagram& request = out.datagrams.emplace_back();
  frame_writer writer{request.payload, {search_tid_, controller, node_profile, esv::get}};
  writer.add(epc::instance_list);
}

void echonet_driver::on_datagram(mono_time now, const endpoint& from, byte_view payload, driver_output& out) {
  const auto frame = decode_frame(payload);
  if (!frame || !frame->complete) on_garbage(from.address);
  if (!frame) return;
  switch (frame->service) {
    case esv::get_res:
    case esv::get_sna: on_answer(now, from, *frame, out); break;
    case esv::inf: on_announcement(now, from, payload, *frame, out); break;
    case esv::infc:
      own_.on_frame(now, from, *frame, out.datagrams);
      on_announcement(now, from, payload, *frame, out);
      break;
    default: own_.on_frame(now, from, *frame, out.datagrams); break;
  }
  find_next_wake();
}

void echonet_driver::on_garbage(std::string_view address) {
  if (remote_node* const node = table_.at(address)) {
    ++node->session().statistics().garbage;
  } else {
    ++garbage_from_strangers_;
  }
}

void echonet_driver::on_answer(mono_time now, const endpoint& from, const frame_view& frame, driver_output& out) {
  // Only a node that lists its objects is worth knowing; any other answer from a stranger is to nothing we asked.
  const bool introduces = frame.seoj.code() == node_profile_class && frame.properties.find(epc::instance_list);
  remote_node* const node = introduces ? table_.at_or_new(now, from.address) : table_.at(from.address);
  if (node == nullptr) return;
  node->on_answer(now, frame, out);
  table_.settle(now, *node, out);
}

void echonet_driver::on_announcement(mono_time now, const endpoint& from, byte_view payload, const frame_view& frame,
                                     driver_output& out) {
  remote_node* const node = table_.at_or_new(now, from.address);
  if (node == nullptr) {  // too many hosts: a press is heard all the same
    if (auto press = emergency_notice("ip:" + from.address, frame)) out.observations.emplace_back(std::move(*press));
    return;
  }
  node->on_announcement(now, payload, frame, out);
  table_.settle(now, *node, out);
}

void echonet_driver::on_wake(mono_time now, driver_output& out) {
  search(now, out);
  // By index: settling may add a node at the end or remove the one at hand.
  for (std::size_t i = 0; i < table_.nodes().size(); ++i) {
    remote_node& node = *table_.nodes()[i];
    if (node.next_wake() > now) continue;
    node.on_wake(now, out);
    table_.settle(now, node, out);
  }
  find_next_wake();
}

void echonet_driver::find_next_wake() {
  wake_ = discovery_.next_wake();
  for (const auto& node : table_.nodes()) wake_ = std::min(wake_, node->next_wake());
}

std::vector<echonet_driver::node_report> echonet_driver::report() const {
  std::vector<node_report> out;
  for (const auto& node : table_.nodes()) {
    node_report& r = out.emplace_back();
    r.identity = node->identity();
    if (!node->has_session()) continue;
    r.address = node->address();
    r.properties_per_request = node->session().properties_per_request();
    r.statistics = node->session().statistics();
  }
  return out;
}

void echonet_driver::log_statistics() const {
  for (const node_report& r : report()) {
    const node_statistics& s = r.statistics;
    context_.log.info("node", {{"node", r.identity.empty() ? r.address : r.identity},
                               {"properties", r.properties_per_request}, {"sent", s.sent},
                               {"answered", s.answered}, {"timeouts", s.timeouts}, {"late", s.late},
                               {"unmatched", s.unmatched}, {"garbage", s.garbage}, {"announcements", s.announcements},
                               {"rtt_min_ms", s.rtt_min.count()}, {"rtt_mean_ms", s.rtt_mean().count()},
                               {"rtt_max_ms", s.rtt_max.count()}});
  }
  context_.log.info("strangers", {{"garbage", garbage_from_strangers_}});
}

std::unique_ptr<driver> make_echonet_driver(const driver_setup& setup) {
  return std::make_unique<echonet_driver>(setup);
}

}  // namespace tomoshibi::drivers::echonet
