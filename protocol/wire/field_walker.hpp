// Walks the fields of one encoded message (Protocol Buffers wire format) without copying and without a description of it.
//
// For what arrives by the million: containers and slots. Everything else goes through the generated codec, which looks each
// field up in a table and was an eighth as fast (docs/BUDGETS.md, "Under load"). Refused are: an unfinished field, a number
// of more than 64 bits, field number 0, and the kinds of field that were withdrawn (groups).
#pragma once

#include "protocol/base/bytes.hpp"

#include <cstdint>

namespace tomoshibi::wire {

enum class field_kind : std::uint8_t { number = 0, eight_bytes = 1, part = 2, four_bytes = 5 };

struct field {
  std::uint32_t tag = 0;
  field_kind kind = field_kind::number;
  std::uint64_t number = 0;  // of kind number
  byte_view part;            // of the other kinds
};

// After the last field next() answers false and ok() true.
class field_walker {
public:
  explicit field_walker(byte_view data) : at_(data.data()), end_(data.data() + data.size()) {}
  bool ok() const { return ok_; }

  bool next(field& f) {
    if (at_ == end_) return false;
    ok_ = take_key(f) && take_value(f);
    if (!ok_) at_ = end_;
    return ok_;
  }

private:
  bool take_key(field& f) {
    std::uint64_t key = 0;
    if (!take_number(key) || key > 0xffff'ffff) return false;
    f.tag = static_cast<std::uint32_t>(key >> 3);
    f.kind = static_cast<field_kind>(key & 7);
    return f.tag != 0;
  }

  bool take_value(field& f) {
    switch (f.kind) {
      case field_kind::number: return take_number(f.number);
      case field_kind::eight_bytes: return take_part(8, f.part);
      case field_kind::four_bytes: return take_part(4, f.part);
      case field_kind::part: {
        std::uint64_t size = 0;
        return take_number(size) && take_part(size, f.part);
      }
    }
    return false;
  }

  // Seven bits a byte, the lowest first; the last byte has no mark.
  bool take_number(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; at_ != end_; shift += 7) {
      const std::uint8_t b = *at_++;
      if (shift == 63 && b > 1) return false;
      out |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return true;
    }
    return false;
  }

  bool take_part(std::uint64_t size, byte_view& out) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) return false;
    out = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

// sint32 and sint64: zigzag.
inline std::int64_t signed_number(std::uint64_t v) { return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1)); }

}  // namespace tomoshibi::wire
