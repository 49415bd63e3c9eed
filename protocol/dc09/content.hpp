// What an event frame says: one table of our events with their codes in Ademco Contact ID (DC-05, "ADM-CID") and in SIA DCS
// (DC-03, "SIA-DCS"), read and written both ways. Sources of the codes: docs/DC09.md.
//
//   ADM-CID   #1234|QEEE GG ZZZ           Q 1 = new, 3 = restored, 6 = still; event, partition, zone
//   SIA-DCS   #1234|Nri1/QA001^text^      N = new or restored (the code says which), O = still; modifiers, code, zone
#pragma once

#include "protocol/dc09/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::dc09 {

enum class event : std::uint8_t {
  personal_emergency = 1, medical, inactivity, check_in_missed, panic, silent_panic, fire, smoke, heat, gas, carbon_monoxide,
  water, hot, cold, mains_lost, battery_low, test_failed, supervision_lost, sensor_battery, tamper, path_failed,
  communication_failed, periodic_test, manual_test, reset, clock_set, cancelled, general_alarm,
};
inline constexpr event last_event = event::general_alarm;

enum class edge : std::uint8_t { begun = 1, restored = 3, still = 6 };   // values: Contact ID's qualifier

inline constexpr std::uint16_t partition_max = 99;
inline constexpr std::uint16_t zone_max = 999;

struct signal {
  event what = event::personal_emergency;
  edge how = edge::begun;
  std::uint16_t partition = 0;                           // 0: the whole home
  std::uint16_t zone = 0;
  friend bool operator==(const signal&, const signal&) = default;
};

// The event in words, "personal emergency".
std::string_view words_of(event what);
// Whether it may never move a guard: a test, or one that a person asked for.
bool is_test(event what);

// The data of a frame. no_code: SIA-DCS has none for this event, or for its return; content: a number over its limit.
read_result<std::string> write_content(token format, std::string_view account, const signal& s);

struct content {
  std::string account = {};                                   // as it stands inside, 3..16 hexadecimal digits
  std::string code = {};                                      // "101", "QA"
  std::optional<event> what = {};                             // nothing: a code that is not in the table
  edge how = edge::begun;
  std::uint16_t partition = 0;
  std::uint16_t zone = 0;
  friend bool operator==(const content&, const content&) = default;
};
// Of an event frame. content: form; foreign_account: not the account of the frame.
read_result<content> read_content(const frame& f);

}  // namespace tomoshibi::dc09
