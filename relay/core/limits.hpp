// Every limit of the relay core by name. The defaults are the product's; tests and the simulator may narrow them.
#pragma once

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>

namespace tomoshibi::relay {

struct limits {
  // sessions
  std::size_t sessions_max = 25'000;           // more are closed as overload: 20,000 gateways and their reconnections
  millis hello_wait = 10s;                     // a connection must say who it is
  millis session_idle = 100s;                  // a gateway pings after 30 s without sending
  millis frame_wait = 60s;                     // a frame that has begun must be whole by then
  // Rates are of a gateway, not of a connection: who dials again goes on counting.
  std::uint32_t session_bytes_per_min = 4'000'000;   // about 1,000 full frames: a 30-day backlog passes in a minute
  std::uint32_t session_frames_per_min = 20'000;
  std::uint32_t hellos_per_min = 60;           // the back-off of a gateway that is let in and thrown out makes about 6
  // presence
  millis down_after = 90s;                     // silent so long: down. After a start every gateway gets as long
  millis seen_every = 10min;                   // how often "last heard" of a live gateway is stored
  millis alive_every = 60s;                    // how often the relay stores that it runs
  // ingest
  std::size_t gateway_records_max = 4'096;     // taken but not committed, of one gateway (8 frames hold fewer)
  std::size_t pending_writes_max = 400'000;    // waiting for a commit, of all; over it records are refused as overload
  std::size_t batch_writes_max = 20'000;       // one transaction
  millis commit_retry_first = 1s;              // after a failed commit, doubling ...
  millis commit_retry_max = 60s;               // ... up to this
  std::int32_t future_slots_max = 1;           // a slot further ahead of the relay's clock is not taken (ADR 13) ...
  millis future_wait = 5min;                   // ... and its gateway's session ends so long after it, to be asked anew
  // Slots of gaps, counted for each appliance, of one gateway. 400 days of 32 appliances are 1.2 million and cost a commit a
  // quarter of a second in which every other gateway waits.
  std::uint64_t gap_cells_per_min = 2'500'000;
  // rules
  std::int32_t history_days_max = 400;         // how far back a rule reads at most
  millis past_retry = 60s;                     // a home whose past could not be read is not judged; then it is tried again
  // Late slots make a stretch be counted again: a year of every appliance of one home is 12,000 day rows, 90 ms. So one home
  // is counted again at most so often, and all homes together read so many rows in one turn and then rest.
  millis recount_every = 10s;
  std::size_t recount_rows_per_turn = 500;     // about 4 ms; the appliance that begins within it is finished
  millis recount_rest = 20ms;                  // between two such turns
  std::int32_t sight_lag_slots = 2;            // sight is "now" if the newest known slot is at most so far back
  millis blind_grace = 15min;                  // after a relay start nobody is called blind so long: back-off + backlog
  millis blind_after_min = 45min;              // shorter settings are taken as this: a slot is known 15 min after it began
  // mails
  std::size_t mails_in_flight_max = 4;
  std::size_t mail_error_bytes_max = 200;
  millis mail_give_up_after = 72h;             // hourly retries, see mail_queue.hpp
};

}  // namespace tomoshibi::relay
