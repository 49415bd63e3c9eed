// A press of an emergency button, in the words that every hop uses.
#pragma once

#include <cstdint>
#include <string_view>

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

constexpr std::string_view name_of(press_source source) {
  switch (source) {
    case press_source::first_aid: return "first_aid";
    case press_source::box: return "box";
    case press_source::drill: return "drill";
    case press_source::button: break;
  }
  return "button";
}

// How far a press has come; only ever forward.
enum class press_stage : std::uint8_t {
  calling = 1,    // durable at the gateway
  received = 2,   // durable at the relay
  accepted = 3,   // the guard centre's valid, matching acknowledgement is durable
  closed = 4,     // the relay knows the end of it: the gateway may forget it
};

// By which way the guard centre's acknowledgement came first.
enum class press_path : std::uint8_t { none = 0, relay = 1, direct = 2 };

// What is wrong with a box or its buttons, as a state: it lasts until it is not told any more.
enum class trouble_kind : std::uint8_t {
  button_stuck = 1,
  button_silent = 2,     // not heard of for its period
  press_not_saved = 3,   // the disk does not take a press
  mains_lost = 4,
  battery_low = 5,
  direct_path_down = 6,  // the gateway does not reach the guard centre by itself
};

}  // namespace tomoshibi
