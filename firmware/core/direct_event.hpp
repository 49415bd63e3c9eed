// What the gateway itself tells the guard centre of a press, when the relay has not brought it there in time: the same name and time of
// occurrence as the relay's, so that a centre that hears of it twice sees one.
//
// The sequence is drawn from the press's random name: durable with the press before the frame leaves, the same in every repetition also
// after a restart, and without a counter that could be lost. Two presses may share a number (1 in 9,999); no harm comes of it, as
// two events never wait for an answer on one connection (dc09/sender.hpp).
#pragma once

#include "firmware/ports/emergency_store.hpp"
#include "protocol/dc09/sender.hpp"

#include <string>

namespace tomoshibi::firmware {

inline constexpr millis refused_retry = 30s;   // what every receiver refused is offered again, as long as the press is open

// Of the account of this home; `key`: nothing, or to seal it with, and outlives the event. A drill is a test, whatever it came from.
dc09::outgoing direct_event(const press& what, const std::string& account, const dc09::cipher* key);

}  // namespace tomoshibi::firmware
