// The aggregator's checkpoint as bytes, version 1, big-endian:
//   u8 version, u32 open slot, u64 at (ms), u8 flags (1 uncertain), u8 count, then for each appliance:
//   u16 id, u8 flags (1 on, 2 missing, 4 energy, 8 energy after gap, 16 meter), u32 on ms, u32 energy, u16 expected,
//   u16 got, and with a meter: u64 meter, u32 counter, u64 at, u32 slot; at the end u32 FNV-1a of all before.
// What a newer program wrote is unsupported: the gateway then starts with an open slot of its own.
#pragma once

#include "firmware/core/aggregator.hpp"
#include "protocol/base/result.hpp"

namespace tomoshibi::firmware {

bytes encode_checkpoint(const aggregator_checkpoint& checkpoint);
// Errors: truncated, malformed (checksum, more than wire::appliances_max, an id twice or 0, impossible values), unsupported.
result<aggregator_checkpoint> decode_checkpoint(byte_view data);

}  // namespace tomoshibi::firmware
