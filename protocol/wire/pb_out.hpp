// Building blocks of encoding, on nanopb. Private to protocol/wire.
#pragma once

#include "protocol/wire/parts.hpp"

#include <pb_encode.h>

#include <array>

namespace tomoshibi::wire {

inline void put_varint(bytes& out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<std::uint8_t>(v | 0x80));
  out.push_back(static_cast<std::uint8_t>(v));
}

inline void put_tag(bytes& out, std::uint32_t tag, pb_wire_type_t type) {
  put_varint(out, std::uint64_t{tag} << 3 | static_cast<std::uint64_t>(type));
}

inline std::uint64_t zigzag(std::int64_t v) {
  return static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63);
}

inline void put_part(bytes& out, std::uint32_t tag, byte_view part) {
  put_tag(out, tag, PB_WT_STRING);
  put_varint(out, part.size());
  put_bytes(out, part);
}

// Appends `v` as a field of its container. False: it breaks a limit, or is longer than a frame.
template <class V>
bool put_leaf(bytes& out, const V& v) {
  typename leaf<V>::pb p{};
  if (!to_pb(v, p)) return false;
  std::array<std::uint8_t, frame_payload_max> buffer;
  pb_ostream_t stream = pb_ostream_from_buffer(buffer.data(), buffer.size());
  if (!pb_encode(&stream, leaf<V>::fields(), &p)) return false;
  put_part(out, leaf<V>::tag, byte_view{buffer}.first(stream.bytes_written));
  return true;
}

// The 2-byte length and the payload; nothing if it is too long.
inline bytes framed(byte_view payload) {
  if (payload.size() > frame_payload_max) return {};
  bytes out;
  out.reserve(payload.size() + 2);
  put_u16(out, static_cast<std::uint16_t>(payload.size()));
  put_bytes(out, payload);
  return out;
}

}  // namespace tomoshibi::wire
