// Every limit and time of the emergency desk by name. The defaults are the product's; tests and the simulator may narrow them.
#pragma once

#include "relay/core/limits.hpp"

namespace tomoshibi::relay {

struct emergency_limits {
  // lanes. A gateway pings after 20 s without sending, and dials again within a second while a press is open.
  std::size_t lanes_max = 25'000;
  millis hello_wait = 10s;
  millis lane_idle = 50s;
  millis frame_wait = 20s;
  std::uint32_t lane_bytes_per_min = 400'000;
  std::uint32_t lane_frames_per_min = 2'000;
  std::uint32_t hellos_per_min = 240;
  // presses
  std::size_t presses_open_max = 16'384;       // of all; over it a press is told to the operator and not taken
  std::size_t presses_open_of_gateway = 256;   // over it the oldest that the centre has is closed, or else the press refused
  std::uint32_t new_presses_per_min = 64;      // of one gateway; as many as it holds itself
  millis alarm_after = 30s;                    // without the centre's acknowledgement
  millis report_wait = 7 * 24h;                // an accepted press that no gateway reports is closed then
  millis drill_length = 10min;
  // the line to a home
  millis line_lost_after = 90s;
  millis line_back_after = 30s;
  std::uint32_t trouble_changes_per_hour = 60; // of one gateway
  // the guard centre
  std::size_t events_out_max = 8;              // with the link at a time, which sends one after the other; urgent ones may be half as
                                               // many more. What is there has its place: few, so that homes can take turns
  std::size_t events_waiting_max = 100'000;    // over it what is not urgent is not made, and counted as given up
  millis refused_again_after = 60s;            // a press that every receiver refused is tried again
  // the book
  millis commit_retry_first = 1s;              // doubling ...
  millis commit_retry_max = 10s;               // ... up to this
  millis upkeep_every = 1h;
  millis tick = 10s;                           // how often what depends on the calendar is looked at
  // mails
  std::size_t mails_in_flight_max = 4;
  std::size_t mails_waiting_max = 50'000;
  std::size_t mails_waiting_of_home = 1'000;   // so that no home takes the room of the others; half of it is for presses and visits
  millis mail_first_retry = 20s;               // then as all other mails
  millis mail_give_up_after = 72h;
};

}  // namespace tomoshibi::relay
