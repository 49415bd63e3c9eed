// The generated codec as the judge of the reader of slots that is written by hand.
#pragma once

#include "protocol/wire/messages.hpp"

#include <optional>

namespace tomoshibi::wire {

// What the generated codec and the protocol's ranges make of an encoded SlotClosed; nothing: refused.
std::optional<slot_closed> judged_slot(byte_view data);

// Whether decode_slot() made of these bytes what it should: the same as the judge. It may be stricter, but never about the
// canonical encoding of a slot: it refuses a value out of range although the same field follows again (the last one
// counts), and a field to be skipped whose number has more than 64 bits.
bool judge_agrees(byte_view data, const std::optional<slot_closed>& ours);

}  // namespace tomoshibi::wire
