#include "drivers/echonet/own_node.hpp"

#include "drivers/echonet/property_map.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

namespace {

// 0xFFFFFF: no code was assigned to the maker of this program.
constexpr std::array<std::uint8_t, 3> maker_unassigned{0xff, 0xff, 0xff};
constexpr std::array<std::uint8_t, 4> profile_version{0x01, 0x0d, 0x01, 0x00};  // specification 1.13, format 1
constexpr std::array<std::uint8_t, 4> device_version{0x00, 0x00, 'R', 0x01};    // appendix release R

constexpr property_map profile_get{0x80, 0x82, 0x83, 0x8a, 0x9d, 0x9e, 0x9f, 0xd3, 0xd4, 0xd6, 0xd7};
constexpr property_map profile_set{};
constexpr property_map profile_inf{0x80, 0xd5};
constexpr property_map controller_get{0x80, 0x81, 0x82, 0x88, 0x8a, 0x9d, 0x9e, 0x9f};
constexpr property_map controller_set{0x81};
constexpr property_map controller_inf{0x80, 0x81, 0x88};

constexpr std::size_t location_short = 1;
constexpr std::size_t location_long = 17;
constexpr std::size_t esv_at = 10;

void put_instance_list(bytes& out) {
  put_u8(out, 1);
  put_u24(out, controller.value);
}

void change_service(bytes& frame, esv service) { frame[esv_at] = static_cast<std::uint8_t>(service); }

bool wants_us(esv service) {
  return service == esv::get || service == esv::set_c || service == esv::set_i || service == esv::set_get ||
         service == esv::inf_req || service == esv::infc;
}

}  // namespace

own_node::own_node(const std::array<std::uint8_t, 13>& unique_part) {
  identification_[0] = 0xfe;
  std::copy(maker_unassigned.begin(), maker_unassigned.end(), identification_.begin() + 1);
  std::copy(unique_part.begin(), unique_part.end(), identification_.begin() + 4);
}

void own_node::on_start(mono_time now, std::vector<datagram>& out) {
  bytes list;
  put_instance_list(list);
  bytes frame;
  frame_writer writer{frame, {next_tid_++, node_profile, node_profile, esv::inf}};
  writer.add(epc::instance_list_notification, list);
  out.push_back({std::nullopt, std::move(frame)});
  announced_at_ = now;
  refilled_at_ = now;
}

void own_node::on_frame(mono_time now, const endpoint& from, const frame_view& frame, std::vector<datagram>& out) {
  if (!frame.complete || !wants_us(frame.service)) return;
  for (const self object : {self::profile, self::control}) {
    if (frame.deoj.addresses(eoj_of(object))) answer(now, from, frame, object, out);
  }
}

void own_node::answer(mono_time now, const endpoint& from, const frame_view& request, self object,
                      std::vector<datagram>& out) {
  switch (request.service) {
    case esv::get: reply(now, from, answer_get(request, object), out); break;
    case esv::infc: reply(now, from, answer_infc(request, object), out); break;
    case esv::set_i:
    case esv::set_c: answer_set(now, from, request, object, out); break;
    case esv::set_get: answer_set_get(now, from, request, object, out); break;
    case esv::inf_req: answer_inf_req(now, from, request, object, out); break;
    default: break;
  }
}

bytes own_node::answer_get(const frame_view& request, self object) const {
  bytes frame;
  frame_writer writer{frame, {request.tid, eoj_of(object), request.seoj, esv::get_res}};
  if (!put_read_list(request.properties, object, false, writer)) change_service(frame, esv::get_sna);
  return frame;
}

bytes own_node::answer_infc(const frame_view& request, self object) const {
  bytes frame;
  frame_writer writer{frame, {request.tid, eoj_of(object), request.seoj, esv::infc_res}};
  for (const property_view p : request.properties) {
    if (writer.count() == own_properties_max) break;
    writer.add(p.epc);
  }
  return frame;
}

// False: not everything could be read.
bool own_node::put_read_list(property_list asked, self object, bool for_notice, frame_writer& writer) const {
  bool all = asked.size() <= own_properties_max;
  property_map seen;
  bytes value;
  for (const property_view p : asked) {
    if (writer.count() == own_properties_max) break;
    value.clear();
    const bool list = for_notice && object == self::profile && p.epc == epc::instance_list_notification;
    if (list && !seen.contains(p.epc)) {
      put_instance_list(value);
    } else if (seen.contains(p.epc) || !read(object, p.epc, value)) {
      all = false;
    }
    seen.insert(p.epc);
    writer.add(p.epc, value);
  }
  return all;
}

bool own_node::put_set_list(property_list asked, self object, frame_writer& writer) {
  bool all = asked.size() <= own_properties_max;
  for (const property_view p : asked) {
    if (writer.count() == own_properties_max) break;
    const bool taken = set(object, p.epc, p.edt);
    all = all && taken;
    writer.add(p.epc, taken ? byte_view{} : p.edt);
  }
  return all;
}

void own_node::answer_set(mono_time now, const endpoint& from, const frame_view& request, self object,
                          std::vector<datagram>& out) {
  const bool wants_answer = request.service == esv::set_c;
  bytes frame;
  frame_writer writer{frame, {request.tid, eoj_of(object), request.seoj, esv::set_res}};
  const bool all = put_set_list(request.properties, object, writer);
  if (!all) change_service(frame, wants_answer ? esv::set_c_sna : esv::set_i_sna);
  if (!all || wants_answer) reply(now, from, std::move(frame), out);
  announce_location_if_changed(now, out);
}

void own_node::answer_set_get(mono_time now, const endpoint& from, const frame_view& request, self object,
                              std::vector<datagram>& out) {
  bytes frame;
  frame_writer writer{frame, {request.tid, eoj_of(object), request.seoj, esv::set_get_res}};
  const bool all_set = put_set_list(request.properties, object, writer);
  writer.begin_second_list();
  const bool all_read = put_read_list(request.second, object, false, writer);
  if (!all_set || !all_read) change_service(frame, esv::set_get_sna);
  reply(now, from, std::move(frame), out);
  announce_location_if_changed(now, out);
}

void own_node::answer_inf_req(mono_time now, const endpoint& from, const frame_view& request, self object,
                              std::vector<datagram>& out) {
  bytes frame;
  frame_writer writer{frame, {request.tid, eoj_of(object), request.seoj, esv::inf}};
  if (!put_read_list(request.properties, object, true, writer)) {
    change_service(frame, esv::inf_sna);
    reply(now, from, std::move(frame), out);
  } else if (may_announce(now)) {
    out.push_back({std::nullopt, std::move(frame)});
  }
}

bool own_node::read(self object, epc_code code, bytes& out) const {
  const bool is_profile = object == self::profile;
  if (!(is_profile ? profile_get : controller_get).contains(code)) return false;
  switch (code) {
    case epc::operation_status: put_u8(out, 0x30); return true;
    case epc::installation_location: put_bytes(out, location_); return true;
    case epc::standard_version: put_bytes(out, is_profile ? profile_version : device_version); return true;
    case epc::identification: put_bytes(out, identification_); return true;
    case epc::fault_status: put_u8(out, 0x42); return true;
    case epc::maker: put_bytes(out, maker_unassigned); return true;
    case epc::inf_map: (is_profile ? profile_inf : controller_inf).encode(out); return true;
    case epc::set_map: (is_profile ? profile_set : controller_set).encode(out); return true;
    case epc::get_map: (is_profile ? profile_get : controller_get).encode(out); return true;
    case epc::instance_count: put_u24(out, 1); return true;
    case epc::class_count: put_u16(out, 2); return true;  // the node profile counts here, but not in the lists
    case epc::instance_list: put_instance_list(out); return true;
    case epc::class_list:
      put_u8(out, 1);
      put_u16(out, controller.code());
      return true;
    default: return false;
  }
}

bool own_node::set(self object, epc_code code, byte_view value) {
  if (object != self::control || !controller_set.contains(code)) return false;
  if (value.size() != location_short && value.size() != location_long) return false;
  location_changed_ = location_changed_ || !std::equal(value.begin(), value.end(), location_.begin(), location_.end());
  location_.assign(value.begin(), value.end());
  return true;
}

void own_node::announce_location_if_changed(mono_time now, std::vector<datagram>& out) {
  if (!location_changed_ || !may_announce(now)) return;
  location_changed_ = false;
  bytes frame;
  frame_writer writer{frame, {next_tid_++, controller, node_profile, esv::inf}};
  writer.add(epc::installation_location, location_);
  out.push_back({std::nullopt, std::move(frame)});
}

bool own_node::may_announce(mono_time now) {
  if (announced_at_ != mono_time::min() && now - announced_at_ < own_notice_gap) return false;
  announced_at_ = now;
  return true;
}

bool own_node::may_answer(mono_time now) {
  const auto steps = (now - refilled_at_) / own_answer_refill;
  if (steps > 0) {
    answers_left_ = static_cast<std::uint32_t>(std::min<std::int64_t>(own_answers_burst, answers_left_ + steps));
    refilled_at_ += steps * own_answer_refill;
  }
  if (answers_left_ == 0) return false;
  --answers_left_;
  return true;
}

void own_node::reply(mono_time now, const endpoint& from, bytes frame, std::vector<datagram>& out) {
  if (may_answer(now)) out.push_back({endpoint{from.address, udp_port}, std::move(frame)});
}

}  // namespace tomoshibi::drivers::echonet
