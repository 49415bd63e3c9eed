// Bytes from and to the outside. A reader never reads past its end: it turns bad and answers zeros from there on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi {

using bytes = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

inline byte_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(byte_view b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

// Big-endian reader.
class byte_reader {
public:
  explicit byte_reader(byte_view data) : data_(data) {}
  bool ok() const { return ok_; }
  std::size_t left() const { return data_.size(); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  byte_view take(std::size_t n) {
    if (n > data_.size()) {
      ok_ = false;
      data_ = {};
      return {};
    }
    auto out = data_.first(n);
    data_ = data_.subspan(n);
    return out;
  }

private:
  std::uint64_t big_endian(std::size_t n) {
    std::uint64_t v = 0;
    for (std::uint8_t b : take(n)) v = v << 8 | b;
    return v;
  }
  byte_view data_;
  bool ok_ = true;
};

inline void put_u8(bytes& out, std::uint8_t v) { out.push_back(v); }
inline void put_u16(bytes& out, std::uint16_t v) {
  out.push_back(static_cast<std::uint8_t>(v >> 8));
  out.push_back(static_cast<std::uint8_t>(v));
}
inline void put_u24(bytes& out, std::uint32_t v) {
  out.push_back(static_cast<std::uint8_t>(v >> 16));
  put_u16(out, static_cast<std::uint16_t>(v));
}
inline void put_u32(bytes& out, std::uint32_t v) {
  put_u16(out, static_cast<std::uint16_t>(v >> 16));
  put_u16(out, static_cast<std::uint16_t>(v));
}
inline void put_bytes(bytes& out, byte_view v) { out.insert(out.end(), v.begin(), v.end()); }

std::string to_hex(byte_view data);                       // lower case, no separators
std::optional<bytes> from_hex(std::string_view text);     // either case; nothing on an odd length or another character

}  // namespace tomoshibi
