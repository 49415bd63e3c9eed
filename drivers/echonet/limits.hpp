// Named limits of the ECHONET driver. Each bounds what a host on the home network can make this program do or keep.
#pragma once

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>

namespace tomoshibi::drivers::echonet {

inline constexpr std::uint16_t udp_port = 3610;
inline constexpr char multicast_group_v4[] = "224.0.23.0";

inline constexpr std::size_t datagram_max = 1500;       // bytes; a longer one is not looked at
inline constexpr std::size_t nodes_max = 64;            // hosts with ECHONET objects
inline constexpr std::size_t objects_per_node_max = 84; // what one instance list can name

}  // namespace tomoshibi::drivers::echonet
