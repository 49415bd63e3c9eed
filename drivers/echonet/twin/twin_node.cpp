#include "drivers/echonet/twin/twin_node.hpp"

#include "drivers/echonet/twin/presets.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet::twin {

namespace {

constexpr std::size_t esv_at = 10;  // offset of the service in a frame
constexpr std::uint32_t identity_maker = 0xffffff;

bool is_map(epc_code epc) { return epc >= epc::inf_map && epc <= epc::get_map; }

bool all_readable(const bytes& frame) { return frame[esv_at] == static_cast<std::uint8_t>(esv::get_res); }

}  // namespace

node_identity identity_of(std::uint64_t number) {
  node_identity out{0xfe, identity_maker >> 16 & 0xff, identity_maker >> 8 & 0xff, identity_maker & 0xff};
  for (std::size_t i = 0; i < 8; ++i) out[16 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

twin_node::twin_node(const twin_options& options)
    : options_(options), random_(options.seed), profile_(node_profile) {
  define_profile(profile_, options_.identity, options_.maker);
}

twin_object& twin_node::add_object(eoj id) {
  twin_object& object = objects_.emplace_back(id);
  define_device(object, options_.maker);
  return object;
}

twin_object* twin_node::find(eoj id) {
  const auto at = std::find_if(objects_.begin(), objects_.end(), [id](const twin_object& o) { return o.id() == id; });
  return at != objects_.end() ? &*at : nullptr;
}

void twin_node::on_start(mono_time now, std::vector<datagram>& out) {
  for (twin_object& object : objects_) object.start_meter(now);
  announce_instances(now, out);
}

bool twin_node::switched_off(mono_time now) const {
  return faults_.active(fault_kind::silent, now) != nullptr || faults_.active(fault_kind::power_cut, now) != nullptr;
}

bool twin_node::happens(fault_kind kind, mono_time now) {
  if (faults_.empty()) return false;
  const fault* const f = faults_.active(kind, now);
  return f != nullptr && random_.chance(f->per_mille);
}

void twin_node::apply_due_faults(mono_time now, std::vector<datagram>& out) {
  if (faults_.empty()) return;
  using edge = fault_plan::edge;
  while (faults_.take_due(fault_kind::meter_reset, edge::begin, now) != nullptr) {
    for (twin_object& object : objects_) object.set_counter(now, 0);
  }
  while (const fault* f = faults_.take_due(fault_kind::meter_wrap, edge::begin, now)) {
    for (twin_object& object : objects_) object.set_counter(now, 1'000'000'000 - f->amount);
  }
  while (faults_.take_due(fault_kind::power_cut, edge::end, now) != nullptr) {
    for (twin_object& object : objects_) object.forget();
    delayed_.clear();
    last_asker_.clear();
    announce_instances(now, out);
  }
}

mono_time twin_node::next_wake() const {
  mono_time out = never;
  if (!faults_.empty()) out = faults_.next(fault_kind::power_cut, fault_plan::edge::end);
  for (const delayed& d : delayed_) out = std::min(out, d.due);
  return out;
}

void twin_node::on_wake(mono_time now, std::vector<datagram>& out) {
  apply_due_faults(now, out);
  if (delayed_.empty()) return;
  const bool off = switched_off(now);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < delayed_.size(); ++i) {
    if (delayed_[i].due > now) {
      if (kept != i) delayed_[kept] = std::move(delayed_[i]);
      ++kept;
    } else if (!off) {
      out.push_back(std::move(delayed_[i].what));
    }
  }
  delayed_.resize(kept);
}

bool twin_node::set_property(mono_time now, eoj id, epc_code epc, byte_view value, notice tell,
                             std::vector<datagram>& out) {
  apply_due_faults(now, out);
  twin_object* const object = find(id);
  if (object == nullptr || !object->set(epc, value)) return false;
  const twin_property* const p = object->find(epc);
  if (tell != notice::none && (p->access & can_inf) != 0) announce(now, *object, epc, tell, out);
  return true;
}

bool twin_node::set_use(mono_time now, eoj id, bool used, notice tell, std::vector<datagram>& out) {
  twin_object* const object = find(id);
  if (object == nullptr) return false;
  if (object->metered()) object->set_load(now, object->watts_when(used));
  const use_property use = use_of(id.code());
  const std::uint8_t value = used ? use.used : use.unused;
  const twin_property* const p = object->find(use.epc);
  // A device that is always on shows use by its meter alone.
  if (p == nullptr || (use.epc == epc::operation_status && (p->access & can_set) == 0)) return object->metered();
  if (p->size == 1 && p->value[0] == value) return true;
  return set_property(now, id, use.epc, {&value, 1}, tell, out);
}

bool twin_node::set_load(mono_time now, eoj id, std::uint32_t watts) {
  twin_object* const object = find(id);
  if (object == nullptr || !object->metered()) return false;
  object->set_load(now, watts);
  return true;
}

void twin_node::announce_instances(mono_time now, std::vector<datagram>& out) {
  if (switched_off(now) || faults_.active(fault_kind::no_notice, now) != nullptr) return;
  frame_.clear();
  frame_writer writer{frame_, {next_tid_++, node_profile, node_profile, esv::inf}};
  value_.clear();
  if (faults_.active(fault_kind::empty_notification, now) == nullptr) read_profile(now, epc::instance_list);
  writer.add(epc::instance_list_notification, value_);
  send(now, std::nullopt, out);
}

void twin_node::announce(mono_time now, const twin_object& object, epc_code epc, notice tell,
                         std::vector<datagram>& out) {
  if (switched_off(now) || faults_.active(fault_kind::no_notice, now) != nullptr) return;
  const bool as_profile = faults_.active(fault_kind::speaks_as_profile, now) != nullptr;
  const bool confirmed = tell == notice::infc && !last_asker_.empty();
  frame_.clear();
  frame_writer writer{frame_, {next_tid_++, as_profile ? node_profile : object.id(), node_profile,
                               confirmed ? esv::infc : esv::inf}};
  writer.add(epc, object.find(epc)->bytes_of());
  send(now, confirmed ? std::optional{endpoint{last_asker_, udp_port}} : std::nullopt, out);
}

void twin_node::on_datagram(mono_time now, const endpoint& from, byte_view payload, std::vector<datagram>& out) {
  apply_due_faults(now, out);
  if (switched_off(now) || happens(fault_kind::deaf, now)) return;
  const auto decoded = decode_frame(payload);
  if (!decoded || !decoded->complete) return;
  const frame_view& request = *decoded;
  if (request.deoj.addresses(node_profile)) answer(now, request, profile_, from, out);
  for (twin_object& object : objects_) {
    if (request.deoj.addresses(object.id())) answer(now, request, object, from, out);
  }
}

void twin_node::answer(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                       std::vector<datagram>& out) {
  const fault* const many = faults_.active(fault_kind::silent_on_many, now);
  if (many != nullptr && request.properties.size() > many->amount) return;
  switch (request.service) {
    case esv::get: answer_get(now, request, object, from, out); break;
    case esv::set_i:
    case esv::set_c: answer_set(now, request, object, from, out); break;
    case esv::inf_req: answer_inf_req(now, request, object, from, out); break;
    default: break;
  }
}

void twin_node::answer_get(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                           std::vector<datagram>& out) {
  last_asker_ = from.address;
  const fault* const few = faults_.active(fault_kind::short_answer, now);
  const std::size_t asked_max = few != nullptr ? few->amount : request.properties.size();
  frame_.clear();
  frame_writer writer{frame_, {request.tid, object.id(), request.seoj, esv::get_res}};
  for (const property_view p : request.properties) {
    if (writer.count() == asked_max) break;
    if (!read(now, object, p.epc)) frame_[esv_at] = static_cast<std::uint8_t>(esv::get_sna);
    writer.add(p.epc, value_);
  }
  const bool in_two = !all_readable(frame_) && faults_.active(fault_kind::refusal_in_two, now) != nullptr;
  const bool lists = request.properties.find(epc::instance_list).has_value();
  const bool again = lists && faults_.active(fault_kind::twice_wrong_tid, now) != nullptr;
  if (in_two) {
    const bytes refusal = frame_;
    frame_.clear();
    frame_writer good{frame_, {request.tid, object.id(), request.seoj, esv::get_res}};
    for (const property_view p : request.properties) {
      if (read(now, object, p.epc)) good.add(p.epc, value_);
    }
    if (good.count() > 0) send_answer(now, from, out);
    frame_ = refusal;
  }
  send_answer(now, from, out);
  if (again) {
    frame_[3] ^= 0xff;
    send_answer(now, from, out);
  }
}

void twin_node::answer_set(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                           std::vector<datagram>& out) {
  const bool wants_answer = request.service == esv::set_c;
  bool refused = false;
  frame_.clear();
  frame_writer writer{frame_, {request.tid, object.id(), request.seoj, wants_answer ? esv::set_res : esv::set_i_sna}};
  for (const property_view p : request.properties) {
    const twin_property* const known = object.find(p.epc);
    const bool taken = known != nullptr && (known->access & can_set) != 0 && !p.edt.empty() && object.set(p.epc, p.edt);
    refused = refused || !taken;
    writer.add(p.epc, taken ? byte_view{} : p.edt);
  }
  if (refused && wants_answer) frame_[esv_at] = static_cast<std::uint8_t>(esv::set_c_sna);
  if (refused || wants_answer) send_answer(now, from, out);
  for (const property_view p : request.properties) {
    const twin_property* const known = object.find(p.epc);
    if (known != nullptr && (known->access & can_set) != 0 && (known->access & can_inf) != 0) {
      announce(now, object, p.epc, notice::inf, out);
    }
  }
}

void twin_node::answer_inf_req(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                               std::vector<datagram>& out) {
  bool refused = false;
  frame_.clear();
  frame_writer writer{frame_, {request.tid, object.id(), request.seoj, esv::inf}};
  for (const property_view p : request.properties) {
    const bool list = p.epc == epc::instance_list_notification && object.id() == node_profile;
    if (!read(now, object, list ? epc::instance_list : p.epc)) refused = true;
    writer.add(p.epc, value_);
  }
  if (!refused) {
    send(now, std::nullopt, out);
    return;
  }
  frame_[esv_at] = static_cast<std::uint8_t>(esv::inf_sna);
  send_answer(now, from, out);
}

bool twin_node::read(mono_time now, twin_object& object, epc_code epc) {
  value_.clear();
  if (&object == &profile_) return read_profile(now, epc);
  if (!object.read(now, epc, value_)) return false;
  if (faults_.empty()) return true;
  const class_info& info = info_of(object.id().code());
  const bool measured = epc == info.energy_epc || is_power_epc(info, epc);
  if (measured && faults_.active(fault_kind::refuses_power, now) != nullptr) {
    value_.clear();
    return false;
  }
  if (measured && faults_.active(fault_kind::no_value, now) != nullptr && !value_.empty()) {
    std::fill(value_.begin(), value_.end(), std::uint8_t{0xff});
    value_.back() = 0xfe;
    const bool is_signed = object.id().code() == 0x0022 && epc != info.energy_epc;
    if (is_signed) value_.front() = 0x7f;
  }
  if (is_map(epc)) change_map_count(now);
  return true;
}

bool twin_node::read_profile(mono_time now, epc_code epc) {
  value_.clear();
  switch (epc) {
    case epc::instance_count: put_u24(value_, static_cast<std::uint32_t>(objects_.size())); return true;
    case epc::instance_list: {
      const std::size_t count = std::min(objects_.size(), objects_per_node_max);
      put_u8(value_, static_cast<std::uint8_t>(count));
      for (std::size_t i = 0; i < count; ++i) put_u24(value_, objects_[i].id().value);
      return true;
    }
    case epc::class_count:
    case epc::class_list: {
      std::vector<class_code> classes;
      for (const twin_object& o : objects_) classes.push_back(o.id().code());
      std::sort(classes.begin(), classes.end());
      classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
      if (epc == epc::class_count) {
        put_u16(value_, static_cast<std::uint16_t>(classes.size() + 1));  // the node profile counts here
        return true;
      }
      classes.resize(std::min<std::size_t>(classes.size(), 8));
      put_u8(value_, static_cast<std::uint8_t>(classes.size()));
      for (const class_code c : classes) put_u16(value_, c);
      return true;
    }
    case epc::identification:
      if (faults_.active(fault_kind::no_identity, now) != nullptr) return false;
      if (!profile_.read(now, epc, value_)) return false;
      if (faults_.active(fault_kind::zero_identity, now) != nullptr) value_.assign(value_.size(), 0);
      return true;
    default:
      if (!profile_.read(now, epc, value_)) return false;
      if (is_map(epc)) change_map_count(now);
      return true;
  }
}

void twin_node::change_map_count(mono_time now) {
  if (faults_.empty() || value_.empty()) return;
  if (faults_.active(fault_kind::wrong_map_count, now) != nullptr) value_[0] ^= 0x03;
}

void twin_node::send_answer(mono_time now, const endpoint& from, std::vector<datagram>& out) {
  if (happens(fault_kind::wrong_tid, now)) frame_[2] ^= 0x55;
  if (happens(fault_kind::cut_short, now)) frame_.resize(static_cast<std::size_t>(random_.below(frame_.size())));
  if (happens(fault_kind::garbage, now)) {
    for (std::uint8_t& b : frame_) b = static_cast<std::uint8_t>(random_.next());
  }
  const endpoint to{from.address, udp_port};
  if (happens(fault_kind::duplicate, now)) send(now, to, out);
  send(now, to, out);
}

void twin_node::send(mono_time now, std::optional<endpoint> to, std::vector<datagram>& out) {
  if (happens(fault_kind::lost, now)) return;
  millis delay = options_.answer_delay;
  if (!faults_.empty()) {
    const fault* const slow = faults_.active(fault_kind::slow, now);
    if (slow != nullptr) delay += millis{slow->amount};
  }
  if (delay == millis{0}) {
    out.push_back({std::move(to), frame_});
  } else {
    delayed_.push_back({now + delay, {std::move(to), frame_}});
  }
}

}  // namespace tomoshibi::drivers::echonet::twin
