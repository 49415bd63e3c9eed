// Log lines on standard error: "ts=2026-01-31T08:15:00.123Z lvl=info mod=uplink evt=live ...". Where standard error is the
// journal (JOURNAL_STREAM), lines get a "<6>" priority in front, which journald takes off. One write(2) per line, from
// any thread.
//
// A reader that has stopped reading holds nothing up: a line waits for it at most log_patience, further ones not at all until
// log_calm_lines were read. What was lost is counted in a line "mod=log evt=dropped" when there is room for one.
#pragma once

#include "protocol/adapters/clock_source.hpp"
#include "protocol/adapters/stderr_lines.hpp"
#include "protocol/base/log.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>

namespace tomoshibi {

inline constexpr millis log_patience{100};
inline constexpr std::uint64_t log_calm_lines = 100;   // in a row, without a loss
// A longer line is cut. A pipe takes 4,096 bytes in one piece: this, and the line of what was lost.
inline constexpr std::size_t log_line_max = 3'840;

class stderr_log final : public log_sink {
public:
  // Lines above `most` are dropped. The clock outlives the log or is replaced.
  stderr_log(const clock_source& clock, log_level most);
  void write(log_level level, std::string_view module, std::string_view event,
             std::span<const log_field> fields) override;
  void set_level(log_level most) { most_ = most; }
  void set_clock(const clock_source& clock) { clock_ = &clock; }

private:
  std::string line_of(log_level level, std::string_view module, std::string_view event, std::span<const log_field> fields) const;
  void put(std::string line);

  std::mutex one_at_a_time_;
  stderr_lines out_;
  std::uint64_t lost_ = 0;                             // since the last line that was written
  std::uint64_t calm_ = log_calm_lines;                // lines since the last loss
  std::atomic<const clock_source*> clock_;
  std::atomic<log_level> most_;
  bool journal_;
};

std::optional<log_level> parse_log_level(std::string_view text);  // "error" "warn" "info" "debug"
std::string format_utc(wall_at t);                                // "2026-01-31T08:15:00.123Z"

}  // namespace tomoshibi
