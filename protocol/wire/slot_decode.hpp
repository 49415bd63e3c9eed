// SlotClosed, read field by field: nearly everything that a relay receives.
// Private to protocol/wire. The generated codec remains its encoder, and the judge of this reader in tests and fuzzing.
#pragma once

#include "protocol/wire/messages.hpp"

namespace tomoshibi::wire {

// False as from_pb() of the other messages: broken format, a field of another kind or out of its range, an unlisted state.
bool decode_slot(byte_view data, slot_closed& v);

}  // namespace tomoshibi::wire
