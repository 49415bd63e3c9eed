#include "protocol/wire/parts.hpp"

#include <pb_decode.h>

namespace tomoshibi::wire {
namespace {

struct field {
  std::uint32_t tag = 0;
  pb_wire_type_t type = PB_WT_VARINT;
  std::uint64_t number = 0;  // of a varint
  byte_view part;            // of a length-delimited field
};

// Walks the fields of a container. After the last one, next() answers false and ok() true.
class field_walker {
public:
  explicit field_walker(byte_view data) : data_(data), stream_(pb_istream_from_buffer(data.data(), data.size())) {}
  bool ok() const { return ok_; }

  bool next(field& f) {
    bool end = false;
    if (!pb_decode_tag(&stream_, &f.type, &f.tag, &end)) {
      ok_ = end;
      return false;
    }
    ok_ = f.tag != 0 && read_value(f);
    return ok_;
  }

private:
  bool read_value(field& f) {
    if (f.type == PB_WT_VARINT) return pb_decode_varint(&stream_, &f.number);
    if (f.type != PB_WT_STRING) return pb_skip_field(&stream_, f.type);
    std::uint64_t length = 0;
    if (!pb_decode_varint(&stream_, &length) || length > stream_.bytes_left) return false;
    f.part = data_.subspan(data_.size() - stream_.bytes_left, static_cast<std::size_t>(length));
    return pb_read(&stream_, nullptr, f.part.size());
  }

  byte_view data_;
  pb_istream_t stream_;
  bool ok_ = true;
};

template <class V>
bool take_leaf(byte_view part, V& v) {
  typename leaf<V>::pb p{};
  pb_istream_t stream = pb_istream_from_buffer(part.data(), part.size());
  return pb_decode(&stream, leaf<V>::fields(), &p) && from_pb(p, v);
}

// If the field's tag is V's, reads it into `out`; false only if it was V's and broke the format.
template <class V, class Body>
bool try_leaf(const field& f, Body& out, bool& known) {
  if (f.tag != leaf<V>::tag) return true;
  known = true;
  V v{};
  if (f.type != PB_WT_STRING || !take_leaf(f.part, v)) return false;
  out = std::move(v);
  return true;
}

std::int64_t from_zigzag(std::uint64_t v) { return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1)); }

bool take_record(byte_view data, record& r) {
  field_walker walker{data};
  bool known = false;
  for (field f; walker.next(f);) {
    const bool fine = try_leaf<slot_closed>(f, r.body, known) && try_leaf<slot_gap>(f, r.body, known) &&
                      try_leaf<device_report>(f, r.body, known) && try_leaf<device_fault>(f, r.body, known) &&
                      try_leaf<event>(f, r.body, known);
    if (!fine) return false;
    if (f.tag == record_made_ms_tag) {
      const std::int64_t ms = from_zigzag(f.number);
      if (f.type != PB_WT_VARINT || !time_in_range(ms)) return false;
      r.made = wall_from_ms(ms);
    }
  }
  return walker.ok() && known;
}

bool take_records(byte_view data, records& m) {
  field_walker walker{data};
  for (field f; walker.next(f);) {
    if (f.tag == records_first_seq_tag) {
      if (f.type != PB_WT_VARINT) return false;
      m.first_seq = f.number;
    } else if (f.tag == records_record_tag) {
      if (f.type != PB_WT_STRING || f.part.size() > record_bytes_max) return false;
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
  if (f.type != PB_WT_STRING || !take_records(f.part, m)) return false;
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
                      try_leaf<pong>(f, out, known) && try_leaf<bye>(f, out, known);
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
