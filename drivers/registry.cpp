#include "drivers/registry.hpp"

#include "drivers/echonet/echonet_driver.hpp"

namespace tomoshibi::drivers {

namespace {

constexpr std::array families{
    echonet::echonet_info,
};

}  // namespace

std::span<const driver_info> registry() { return families; }

}  // namespace tomoshibi::drivers
