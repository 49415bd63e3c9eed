// Counters and gauges of the emergency part, as a value: copied to the main thread for metrics and the health page.
#pragma once

#include "protocol/dc09/sender.hpp"
#include "relay/core/emergency/delays.hpp"
#include "relay/core/session_io.hpp"
#include "relay/ports/emergency_book.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace tomoshibi::relay {

struct emergency_health {
  // gauges
  std::size_t lanes = 0;                   // connections, with or without hello
  std::size_t lanes_up = 0;                // gateways that stand
  std::size_t homes_watched = 0;           // homes whose lane was ever up
  std::size_t lines_lost = 0;
  std::size_t troubles_open = 0;
  std::size_t presses_open = 0;            // not closed
  std::size_t presses_unaccepted = 0;      // of them, the centre's acknowledgement is still missing
  std::size_t presses_late = 0;            // of them, longer than alarm_after: the operator was told
  std::size_t dispatches_open = 0;         // not accepted
  std::size_t dispatches_late = 0;
  std::size_t drills_open = 0;
  std::size_t events_waiting = 0;          // for the guard centre
  std::size_t homes_without_centre = 0;    // homes whose lane was up and that have no account
  bool centre_set = false;                 // a receiver is configured
  dc09::link_state link = dc09::link_state::unknown;
  std::size_t receiver = 0;                // 0 = the preferred one, while the link is up
  bool commit_failing = false;
  book_loss book_lost = book_loss::none;   // at this start
  std::size_t mails_queued = 0;
  std::optional<wall_at> oldest_mail;      // since when the oldest one that may leave has not left
  // counters since start
  std::uint64_t lanes_opened = 0;
  std::array<std::uint64_t, close_reasons> lanes_closed{};  // by close_reason
  std::uint64_t presses = 0;               // new ones, without drills
  std::uint64_t drills = 0;                // new presses of drills
  std::uint64_t presses_again = 0;         // a press that was known
  std::uint64_t presses_accepted = 0;      // by our own link
  std::uint64_t presses_direct = 0;        // accepted, as the gateway reported, before our link knew
  std::uint64_t alarms = 0;                // not accepted in alarm_after
  std::uint64_t events_delivered = 0;
  std::uint64_t events_refused = 0;
  std::uint64_t events_given_up = 0;
  std::uint64_t answers_doubted = 0;       // what a receiver answered and was not believed, NAK and DUH
  std::uint64_t lines_lost_total = 0;
  std::uint64_t lines_restored_total = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t mails_sent = 0;
  std::uint64_t mails_retried = 0;
  std::uint64_t mails_given_up = 0;
  press_delays delays;                     // add() when a press's final report is durable
};

}  // namespace tomoshibi::relay
