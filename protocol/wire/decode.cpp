#include "protocol/wire/field_walker.hpp"
#include "protocol/wire/parts.hpp"
#include "protocol/wire/slot_decode.hpp"

#include <pb_decode.h>

namespace tomoshibi::wire {
namespace {

template <class V>
bool take_leaf(byte_view part, V& v) {
  typename leaf<V>::pb p{};
  pb_istream_t stream = pb_istream_from_buffer(part.data(), part.size());
  return pb_decode(&stream, leaf<V>::fields(), &p) && from_pb(p, v);
}

bool take_leaf(byte_view part, slot_closed& v) { return decode_slot(part, v); }

// If the field's tag is V's, reads it into `out`; false only if it was V's and broke the format.
template <class V, class Body>
bool try_leaf(const field& f, Body& out, bool& known) {
  if (f.tag != leaf<V>::tag) return true;
  known = true;
  V v{};
  if (f.kind != field_kind::part || !take_leaf(f.part, v)) return false;
  out = std::move(v);
  return true;
}

bool take_record(byte_view data, record& r) {
  field_walker walker{data};
  bool known = false;
  for (field f; walker.next(f);) {
    const bool fine = try_leaf<slot_closed>(f, r.body, known) && try_leaf<slot_gap>(f, r.body, known) &&
                      try_leaf<device_report>(f, r.body, known) && try_leaf<device_fault>(f, r.body, known) &&
                      try_leaf<event>(f, r.body, known);
    if (!fine) return false;
    if (f.tag == record_made_ms_tag) {
      const std::int64_t ms = signed_number(f.number);
      if (f.kind != field_kind::number || !time_in_range(ms)) return false;
      r.made = wall_from_ms(ms);
    }
  }
  return walker.ok() && known;
}

bool take_records(byte_view data, records& m) {
  field_walker walker{data};
  for (field f; walker.next(f);) {
    if (f.tag == records_first_seq_tag) {
      if (f.kind != field_kind::number) return false;
      m.first_seq = f.number;
    } else if (f.tag == records_record_tag) {
      if (f.kind != field_kind::part || f.part.size() > record_bytes_max) return false;
      if (!take_record(f.part, m.items.emplace_back())) return false;
    }
  }
  // The last record's sequence must not wrap.
  return walker.ok() && m.first_seq >= 1 && !m.items.empty() && m.first_seq + m.items.size() > m.first_seq;
}

bool try_records(const field& f, message& out, bool& known) {
  if (f.tag != frame_records_tag) return true;
  known = true;
  records m;
  if (f.kind != field_kind::part || !take_records(f.part, m)) return false;
  out = std::move(m);
  return true;
}

}  // namespace

result<message> decode_payload(byte_view payload) {
  if (payload.empty() || payload.size() > frame_payload_max) return fail(errc::malformed, "frame length");
  message out;
  bool known = false;
  field_walker walker{payload};
  for (field f; walker.next(f);) {
    const bool fine = try_leaf<hello>(f, out, known) && try_leaf<welcome>(f, out, known) &&
                      try_records(f, out, known) && try_leaf<ack>(f, out, known) && try_leaf<config>(f, out, known) &&
                      try_leaf<config_applied>(f, out, known) && try_leaf<ping>(f, out, known) &&
                      try_leaf<pong>(f, out, known) && try_leaf<bye>(f, out, known) &&
                      try_leaf<press>(f, out, known) && try_leaf<press_news>(f, out, known) &&
                      try_leaf<lane_hello>(f, out, known) && try_leaf<lane_welcome>(f, out, known) &&
                      try_leaf<press_report>(f, out, known) && try_leaf<box_state>(f, out, known) &&
                      try_leaf<drill_request>(f, out, known);
    if (!fine) return fail(errc::malformed, "frame field " + std::to_string(f.tag));
  }
  if (!walker.ok()) return fail(errc::malformed, "not a frame");
  if (!known) return fail(errc::unsupported, "no body known to this version");
  return out;
}

result<record> decode_record(byte_view data) {
  record r;
  if (data.size() > record_bytes_max || !take_record(data, r)) return fail(errc::malformed, "record");
  return r;
}

}  // namespace tomoshibi::wire
