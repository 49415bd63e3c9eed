// What a press says to a guard centre: one answer for both paths, so that the relay and the gateway send the same event.
#pragma once

#include "protocol/base/press.hpp"
#include "protocol/dc09/content.hpp"

#include <string>

namespace tomoshibi::dc09 {

// Zones of a home, as the centre's card names them. 1..899 besides: what has a number of its own (appliances, buttons).
inline constexpr std::uint16_t zone_button = 1;
inline constexpr std::uint16_t zone_first_aid = 2;
inline constexpr std::uint16_t zone_box = 3;
inline constexpr std::uint16_t zone_drill = 4;
inline constexpr std::uint16_t zone_button_stuck = 5;
inline constexpr std::uint16_t zone_button_silent = 6;
inline constexpr std::uint16_t zone_line = 7;
inline constexpr std::uint16_t zone_power = 8;
inline constexpr std::uint16_t zone_family = 900;      // "the family asks for a visit"

// A drill is a test event, nothing else is: whoever sends a press asks here and nowhere else.
constexpr signal signal_of(press_source source) {
  switch (source) {
    case press_source::button: return {event::personal_emergency, edge::begun, 0, zone_button};
    case press_source::first_aid: return {event::medical, edge::begun, 0, zone_first_aid};
    case press_source::box: return {event::personal_emergency, edge::begun, 0, zone_box};
    case press_source::drill: break;
  }
  return {event::manual_test, edge::begun, 0, zone_drill};
}

// The name of a press in the I extension: 16 upper-case hexadecimal digits.
inline std::string reference_of(press_id id) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out(16, '0');
  auto value = static_cast<std::uint64_t>(id);
  for (auto at = out.rbegin(); at != out.rend(); ++at, value >>= 4) *at = digits[value & 15];
  return out;
}

}  // namespace tomoshibi::dc09
