// One appliance's UTC day as a compact blob: what the store keeps in a row.
//
// Format, version 1. Byte 0 is the version. Then cells in order of slot until 96 are told; each begins with a head byte:
//   bits 0-1  0 absent, 1 OFF, 2 ON, 3 UNKNOWN (slot_state); an absent cell has no other bit but 7
//   bit 2     time uncertain
//   bit 3     an energy follows
//   bit 4     energy after a gap
//   bit 5     seconds on follow (absent: 0)
//   bit 6     reading counts follow (absent: those of the present cell before this one; 0 and 0 at the beginning)
//   bit 7     a run follows: so many more cells equal this one
// and goes on with what the bits name, in this order: seconds on, energy, expected, got, run length (1..95). Numbers are
// little-endian base-128. Trailing absent cells are not written. A day of OFF is 4 bytes, a busy TV about 150.
//
// A row that this program cannot read is storage_corrupt; one with a higher version is storage_version.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "relay/core/ledger.hpp"

namespace tomoshibi::relay {

inline constexpr std::uint8_t day_row_version = 1;
inline constexpr std::size_t day_row_bytes_max = 1 + slots_per_day * 16;  // every field at its widest, no runs

bytes encode_day(const day_cells& cells);  // absent cells lose whatever else they carry
result<day_cells> decode_day(byte_view row);
status decode_day(byte_view row, day_cells& empty);  // the same, in place; after an error it holds what came before it

}  // namespace tomoshibi::relay
