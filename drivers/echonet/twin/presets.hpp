// What a device of each class offers when it is new: the mandatory properties of its class, plus the meter of a
// power-watching adapter where that is what the product plugs in.
#pragma once

#include "drivers/echonet/twin/twin_object.hpp"

namespace tomoshibi::drivers::echonet::twin {

void define_profile(twin_object& profile, byte_view identity, std::uint32_t maker);
void define_device(twin_object& object, std::uint32_t maker);

// The property and values by which the class shows use: sensor state, or operation status.
struct use_property {
  epc_code epc = epc::operation_status;
  std::uint8_t used = 0x30;
  std::uint8_t unused = 0x31;
};
use_property use_of(class_code code);

}  // namespace tomoshibi::drivers::echonet::twin
