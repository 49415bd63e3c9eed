// The relay's book of presses as tomoshibi-ctl shows it: a report, a list, one press. Pure functions of rows.
#pragma once

#include "relay/core/emergency/report.hpp"
#include "relay/core/directory.hpp"

#include <span>
#include <string>
#include <string_view>

namespace tomoshibi::ctl {

struct report_range {
  wall_at from{};
  wall_at until{};
  bool cut = false;                          // there are more presses than are counted: the newest are missing
};

// A report for people; with `only` of one home.
std::string report_as_text(const relay::emergency_report& r, const relay::directory& d, const report_range& range,
                           std::optional<home_id> only);
// One object on one line. Keys: docs/OPERATIONS.md.
std::string report_as_json(const relay::emergency_report& r, const relay::directory& d, const report_range& range,
                           std::optional<home_id> only);

std::string presses_as_text(std::span<const relay::press_row> rows, const relay::directory& d, wall_at now);
std::string presses_as_json(std::span<const relay::press_row> rows, wall_at now);  // one object a line

// `events`: what the guard centre was told of it.
std::string press_as_text(const relay::press_row& p, std::span<const relay::guard_event_row> events, const relay::directory& d,
                          wall_at now);
std::string press_as_json(const relay::press_row& p, std::span<const relay::guard_event_row> events, wall_at now);

// Its times alone, as lines.
std::string times_as_text(const relay::press_row& p);

std::string format_us(std::uint32_t us);     // 850 us, 12.3 ms, 1.250 s
std::string_view name_of(relay::guard_event_state s);   // waiting delivered refused given_up
// What a person is told of a press: "the guard centre has it", "NOT delivered yet" ...
std::string_view words_of(relay::press_outcome outcome);

}  // namespace tomoshibi::ctl
