// A press of an emergency button, in the words that every hop uses.
#pragma once

#include <cstdint>

namespace tomoshibi {

// Random, not 0: the name of a press on every hop and in the guard centre's list. A counter could be used twice, because
// a press that could not be made durable is sent all the same.
enum class press_id : std::uint64_t {};

enum class press_source : std::uint8_t {
  button = 1,     // ECHONET class 0x0003
  first_aid = 2,  // ECHONET class 0x0004
  box = 3,        // a button on the gateway itself
  drill = 4,      // by an operator: a test on every hop
};

// How far a press has come; only ever forward.
enum class press_stage : std::uint8_t {
  calling = 1,    // durable at the gateway
  received = 2,   // durable at the relay
  accepted = 3,   // the guard centre's valid, matching acknowledgement is durable
};

}  // namespace tomoshibi
