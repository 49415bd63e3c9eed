#include "protocol/wire/pb_out.hpp"

namespace tomoshibi::wire {
namespace {

static_assert(frame_payload_max < 0x4000);  // so that two bytes hold every length
constexpr std::size_t varint_size(std::size_t v) { return v < 0x80 ? 1 : 2; }
constexpr std::size_t part_size(std::size_t n) { return 1 + varint_size(n) + n; }  // every tag here takes one byte

}  // namespace

records_builder::records_builder(record_seq first_seq) {
  put_tag(payload_, records_first_seq_tag, PB_WT_VARINT);
  put_varint(payload_, first_seq);
}

bool records_builder::add(byte_view encoded_record) {
  if (encoded_record.size() > record_bytes_max) return false;
  if (part_size(payload_.size() + part_size(encoded_record.size())) > frame_payload_max) return false;
  put_part(payload_, records_record_tag, encoded_record);
  ++count_;
  return true;
}

bytes records_builder::frame() const {
  bytes payload;
  put_part(payload, frame_records_tag, payload_);
  return framed(payload);
}

}  // namespace tomoshibi::wire
