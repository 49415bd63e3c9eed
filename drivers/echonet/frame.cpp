#include "drivers/echonet/frame.hpp"

#include "drivers/echonet/limits.hpp"

namespace tomoshibi::drivers::echonet {

namespace {

constexpr std::uint8_t ehd1_lite = 0x10;
constexpr std::uint8_t ehd2_format1 = 0x81;
constexpr std::size_t list_max = 255;

struct list_read {
  property_list list;
  bool whole = false;
};

list_read read_list(byte_reader& in) {
  const std::size_t announced = in.u8();
  if (!in.ok()) return {};
  byte_view rest = byte_reader{in}.take(in.left());
  const std::uint8_t* const first = rest.data();
  std::size_t count = 0;
  for (; count < announced; ++count) {
    if (rest.size() < 2 || rest.size() - 2 < rest[1]) break;
    rest = rest.subspan(2u + rest[1]);
  }
  in.take(in.left() - rest.size());
  return {property_list{first, count}, count == announced};
}

}  // namespace

bool is_known(esv service) {
  switch (service) {
    case esv::set_i:
    case esv::set_c:
    case esv::get:
    case esv::inf_req:
    case esv::set_get:
    case esv::set_res:
    case esv::get_res:
    case esv::inf:
    case esv::infc:
    case esv::infc_res:
    case esv::set_get_res:
    case esv::set_i_sna:
    case esv::set_c_sna:
    case esv::get_sna:
    case esv::inf_sna:
    case esv::set_get_sna: return true;
  }
  return false;
}

bool has_two_lists(esv service) {
  return service == esv::set_get || service == esv::set_get_res || service == esv::set_get_sna;
}

std::optional<property_view> property_list::find(epc_code epc) const {
  for (const property_view p : *this) {
    if (p.epc == epc) return p;
  }
  return std::nullopt;
}

result<frame_view> decode_frame(byte_view datagram) {
  if (datagram.size() > datagram_max) return fail(errc::too_long);
  byte_reader in{datagram};
  const std::uint8_t ehd1 = in.u8();
  const std::uint8_t ehd2 = in.u8();
  frame_view out;
  out.tid = in.u16();
  out.seoj = {in.u24()};
  out.deoj = {in.u24()};
  out.service = static_cast<esv>(in.u8());
  if (!in.ok()) return fail(errc::truncated);
  if (ehd1 != ehd1_lite || ehd2 != ehd2_format1 || !is_known(out.service)) return fail(errc::unsupported);
  const list_read first = read_list(in);
  out.properties = first.list;
  out.complete = first.whole;
  if (has_two_lists(out.service)) {
    const list_read second = out.complete ? read_list(in) : list_read{};
    out.second = second.list;
    out.complete = second.whole;
  }
  if (out.complete && out.properties.size() + out.second.size() == 0) return fail(errc::malformed);
  return out;
}

frame_writer::frame_writer(bytes& out, const frame_header& header) : out_(out), start_(out.size()) {
  out_.reserve(start_ + 32);
  put_u8(out_, ehd1_lite);
  put_u8(out_, ehd2_format1);
  put_u16(out_, header.tid);
  put_u24(out_, header.seoj.value);
  put_u24(out_, header.deoj.value);
  put_u8(out_, static_cast<std::uint8_t>(header.service));
  opc_at_ = out_.size();
  put_u8(out_, 0);
}

bool frame_writer::add(epc_code epc, byte_view edt) {
  const std::size_t used = out_.size() - start_;
  if (edt.size() > 255 || count() == list_max || used + 2 + edt.size() > datagram_max) return false;
  put_u8(out_, epc);
  put_u8(out_, static_cast<std::uint8_t>(edt.size()));
  put_bytes(out_, edt);
  ++out_[opc_at_];
  return true;
}

void frame_writer::begin_second_list() {
  opc_at_ = out_.size();
  put_u8(out_, 0);
}

void encode_frame(const frame_view& frame, bytes& out) {
  frame_writer writer{out, frame};
  for (const property_view p : frame.properties) writer.add(p.epc, p.edt);
  if (!has_two_lists(frame.service)) return;
  writer.begin_second_list();
  for (const property_view p : frame.second) writer.add(p.epc, p.edt);
}

}  // namespace tomoshibi::drivers::echonet
