// All device families this program knows: one line each in registry.cpp.
#pragma once

#include "drivers/driver.hpp"

namespace tomoshibi::drivers {

std::span<const driver_info> registry();

}  // namespace tomoshibi::drivers
