// Counters and gauges of the relay core, as a value: the shell prints them as metrics and on the health page.
#pragma once

#include "relay/core/session_io.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace tomoshibi::relay {

struct health {
  // gauges
  std::size_t sessions = 0;               // connections open, with or without hello
  std::size_t gateways = 0;               // enrolled and not revoked
  std::size_t gateways_up = 0;
  std::size_t gateways_down = 0;          // judged down; up + down < gateways only in the time after a start
  std::size_t gateways_put_off = 0;       // a slot starts in the future: one of the two clocks is wrong
  std::size_t homes_watched = 0;
  std::size_t watches_without_recipient = 0;  // homes in watch mode with nobody to tell: must be 0
  std::array<std::size_t, 6> episodes_open{}; // by episode_kind, index 0 unused
  std::size_t writes_pending = 0;
  bool commit_failing = false;            // the last commit failed and is tried again
  std::size_t mails_queued = 0;
  std::size_t mails_in_flight = 0;
  std::optional<wall_at> oldest_mail;     // since when the oldest mail that may leave has not left; held ones do not count
  // counters since start
  std::uint64_t sessions_opened = 0;
  std::array<std::uint64_t, close_reasons> sessions_closed{};  // by close_reason
  std::uint64_t frames_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t records_in = 0;
  std::uint64_t records_known = 0;        // sent again, skipped
  std::uint64_t records_foreign = 0;      // named an appliance this home does not have: that part was left out
  std::uint64_t slots_stored = 0;
  std::uint64_t slots_future = 0;         // times that a gateway was put off: a slot starts in the future
  std::uint64_t records_lost = 0;         // the gateway no longer had them
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t lines_down = 0;
  std::uint64_t lines_up = 0;
  std::uint64_t episodes_opened = 0;
  std::uint64_t episodes_closed = 0;
  std::uint64_t mails_sent = 0;
  std::uint64_t mails_retried = 0;
  std::uint64_t mails_given_up = 0;
  std::uint64_t store_reads_failed = 0;
};

}  // namespace tomoshibi::relay
