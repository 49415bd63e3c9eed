// One home's line to the relay, as both shells see it: at most one connection, in order, with delay, and ways to break.
#pragma once

#include "firmware/core/gateway.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "relay/core/session_io.hpp"

namespace tomoshibi::sim {

struct line {
  bool healthy = true;                 // false: nothing passes, and nobody is told
  bool open = false;                   // a connection exists and carries bytes
  std::uint32_t life = 0;              // counted up whenever a connection is dialled or dies
  firmware::link_number link = 0;      // the gateway's name for it
  relay::session_id session{};         // the relay's
  mono_time to_relay_free{};           // a later byte does not overtake an earlier one
  mono_time to_gateway_free{};
  wire::frame_reader relay_frames;     // for the observers

  // Wakes that stand in the heap; others are stale.
  mono_time gateway_wake = never;
  mono_time home_wake = never;
};

}  // namespace tomoshibi::sim
