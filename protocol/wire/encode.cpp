#include "protocol/wire/pb_out.hpp"

#include "protocol/base/check.hpp"

namespace tomoshibi::wire {
namespace {

bool put_body(bytes& payload, const records& m) {
  bytes list;
  put_tag(list, records_first_seq_tag, PB_WT_VARINT);
  put_varint(list, m.first_seq);
  for (const record& r : m.items) {
    if (list.size() > frame_payload_max) return false;
    put_part(list, records_record_tag, encode_record(r));
  }
  put_part(payload, frame_records_tag, list);
  return true;
}

template <class V>
bool put_body(bytes& payload, const V& m) {
  return put_leaf(payload, m);
}

}  // namespace

bytes encode_record(const record& r) {
  bytes out;
  const bool fits = std::visit([&out](const auto& body) { return put_leaf(out, body); }, r.body);
  TOMO_CHECK(fits);
  if (to_ms(r.made) != 0) {
    put_tag(out, record_made_ms_tag, PB_WT_VARINT);
    put_varint(out, zigzag(to_ms(r.made)));
  }
  return out;
}

result<bytes> encode_frame(const message& m) {
  bytes payload;
  const bool fits = std::visit([&payload](const auto& body) { return put_body(payload, body); }, m);
  bytes out;
  if (fits) out = framed(payload);
  if (out.empty()) return fail(errc::too_long, "message over a limit, or longer than a frame");
  return out;
}

}  // namespace tomoshibi::wire
