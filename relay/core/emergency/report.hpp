// What became of presses, counted: for tomoshibi-ctl emergency report. A pure function of the book's rows.
//
//   delivered   the guard centre's valid acknowledgement was there within 30 s
//   lost        it was not: `late`, it came afterwards; `never`, it has not come (the box still tries, or the drill ran out)
//   open        no acknowledgement yet, and 30 s are not over
//
// Judged by the gateway's own clock where its report gives times, else by when the relay heard of the press and of its
// acknowledgement; and lost in any case if the panel said "not delivered" meanwhile. A press of a home without an account at
// the centre is lost: it was made, and no one acknowledged it.
#pragma once

#include "relay/core/emergency/delays.hpp"

#include <map>
#include <span>

namespace tomoshibi::relay {

inline constexpr millis press_lost_after = 30s;

enum class press_outcome : std::uint8_t { open, delivered, late, never };
press_outcome outcome_of(const press_row& p, wall_at now);
std::string_view name_of(press_outcome outcome);  // "open" "delivered" "late" "never"

// Of the delays of one hop. Percentiles are nearest rank: a value that was measured, never one between two. All 0 if n is 0.
struct delay_summary {
  std::size_t n = 0;
  std::uint32_t min_us = 0, mean_us = 0, p50_us = 0, p95_us = 0, p99_us = 0, max_us = 0;
  bool operator==(const delay_summary&) const = default;
};
delay_summary summary_of(std::vector<std::uint32_t> delays_us);

struct press_tally {
  std::size_t presses = 0;
  std::size_t delivered = 0;
  std::size_t late = 0, never = 0;           // lost
  std::size_t open = 0;
  std::size_t direct = 0;                    // acknowledged by the gateway's own path
  std::size_t interrupted = 0;               // acknowledged, without times: the box began anew meanwhile
  std::size_t unreported = 0;                // acknowledged, and the gateway's report is not here yet
  std::array<delay_summary, press_hops> hops;
  std::size_t lost() const { return late + never; }
  std::size_t decided() const { return delivered + lost(); }
  // With nothing lost of n: with 95 % certainty fewer than this share of presses is lost (3/n). Nothing if something was, or
  // n < 3, which says nothing yet.
  std::optional<double> loss_bound() const;
  bool operator==(const press_tally&) const = default;
};

// Presses and drills are never added up.
struct press_counts {
  press_tally real;
  press_tally drills;
  bool operator==(const press_counts&) const = default;
};

struct emergency_report {
  press_counts all;
  std::map<home_id, press_counts> homes;     // those with at least one
};

// `rows` in any order, of any time; `now` decides what is still open.
emergency_report make_report(std::span<const press_row> rows, wall_at now);

}  // namespace tomoshibi::relay
