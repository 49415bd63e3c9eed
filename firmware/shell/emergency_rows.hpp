// The rows of emergency.db: every one has its final size from the start, so that a put changes bytes and never needs room.
//
// Big-endian: used (1: yes, 0: free), order (8: what was put first has the smaller), id (8), occurred (8: ms of UTC),
// source, test, stage or pressed (1 each), flags (1: path in the lowest two bits, 4 undelivered, 8 with a request), request (8),
// length of the name (1), name (64), CRC-32 (4) of the slot's number and all before.
// A button uses `used`, `order`, `pressed` and the name. Free rows are zeros and their sum.
#pragma once

#include "firmware/ports/emergency_store.hpp"
#include "protocol/base/bytes.hpp"

namespace tomoshibi::firmware {

inline constexpr std::size_t emergency_row_size = 106;

struct press_row {
  bool used = false;
  std::uint64_t order = 0;
  press what;
};
struct button_row {
  bool used = false;
  std::uint64_t order = 0;
  known_button what;
};

bytes encode_row(std::int64_t slot, const press_row& row);    // the name fits
bytes encode_row(std::int64_t slot, const button_row& row);
// storage_corrupt: damaged, or the row of another slot.
result<press_row> decode_press_row(std::int64_t slot, byte_view data);
result<button_row> decode_button_row(std::int64_t slot, byte_view data);

}  // namespace tomoshibi::firmware
