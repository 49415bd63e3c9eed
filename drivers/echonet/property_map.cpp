#include "drivers/echonet/property_map.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

namespace {

constexpr std::size_t form1_count_max = 15;
constexpr std::size_t bitmap_size = 16;

property_map from_list(byte_view codes) {
  property_map out;
  for (const std::uint8_t c : codes) out.insert(c);
  return out;
}

property_map from_bitmap(byte_view bitmap) {
  property_map out;
  for (std::size_t k = 0; k < std::min(bitmap.size(), bitmap_size); ++k) {
    for (unsigned j = 0; j < 8; ++j) {
      if ((bitmap[k] >> j & 1) != 0) out.insert(static_cast<epc_code>((8 + j) << 4 | k));
    }
  }
  return out;
}

bool all_codes(byte_view b) {
  return std::all_of(b.begin(), b.end(), [](std::uint8_t c) { return c >= 0x80; });
}
bool all_zero(byte_view b) {
  return std::all_of(b.begin(), b.end(), [](std::uint8_t c) { return c == 0; });
}

// A list that its node filled up with zeros to the size of a bitmap.
bool is_padded_list(byte_view body, std::size_t count) {
  return count <= form1_count_max && all_codes(body.first(count)) && all_zero(body.subspan(count)) &&
         from_bitmap(body).size() != count;
}

}  // namespace

std::optional<property_map> property_map::decode(byte_view edt) {
  if (edt.empty()) return std::nullopt;
  const std::size_t count = edt[0];
  const byte_view body = edt.subspan(1);
  // The length tells the form: only a bitmap is 16 bytes long.
  if (body.size() == bitmap_size) {
    return is_padded_list(body, count) ? from_list(body.first(count)) : from_bitmap(body);
  }
  // A bitmap that was cut, by a node that announces many properties in few bytes that cannot all be codes.
  if (count > form1_count_max && body.size() < bitmap_size && !all_codes(body)) return from_bitmap(body);
  return from_list(body);
}

void property_map::encode(bytes& out) const {
  const std::size_t count = size();
  put_u8(out, static_cast<std::uint8_t>(count));
  if (count <= form1_count_max) {
    for (unsigned c = 0x80; c <= 0xff; ++c) {
      if (contains(static_cast<epc_code>(c))) put_u8(out, static_cast<std::uint8_t>(c));
    }
    return;
  }
  for (unsigned k = 0; k < bitmap_size; ++k) {
    std::uint8_t row = 0;
    for (unsigned j = 0; j < 8; ++j) {
      if (contains(static_cast<epc_code>((8 + j) << 4 | k))) row = static_cast<std::uint8_t>(row | 1u << j);
    }
    put_u8(out, row);
  }
}

}  // namespace tomoshibi::drivers::echonet
