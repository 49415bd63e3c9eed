// One home's line to the relay, as both shells see it: at most one connection, in order, with delay, and ways to break.
#pragma once

#include "firmware/core/gateway.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "relay/core/session_io.hpp"
#include "tools/sim.d/payloads.hpp"

namespace tomoshibi::sim {

struct line {
  int broken = 0;                      // > 0: nothing passes, and nobody is told
  bool open = false;                   // a connection exists and carries bytes
  std::uint32_t life = 0;              // counted up whenever a connection is dialled or dies
  firmware::link_number link = 0;      // the gateway's name for it
  relay::session_id session{};         // the relay's
  mono_time stalled_until{};           // bytes wait until then
  mono_time to_relay_free{};           // a later byte does not overtake an earlier one
  mono_time to_gateway_free{};
  millis slow{};                       // some messages are late by up to this
  std::uint32_t reset_after = 0;       // > 0: so many more messages, then it breaks inside one
  payload_queue to_relay;
  payload_queue to_gateway;
  wire::frame_reader relay_frames;     // for the observers
  wire::frame_reader gateway_frames;

  // Wakes that stand in the heap; others are stale.
  mono_time gateway_wake = never;
  mono_time home_wake = never;
};

}  // namespace tomoshibi::sim
