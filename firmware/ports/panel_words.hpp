// What each view of the panel means in sound, light and words, the same on every kind of panel.
#pragma once

#include "firmware/ports/panel.hpp"

#include <string_view>

namespace tomoshibi::firmware {

// How a lamp or the buzzer goes: milliseconds on and off. on 0: off; off 0: steadily on.
struct pulse {
  std::uint16_t on_ms = 0;
  std::uint16_t off_ms = 0;
  bool operator==(const pulse&) const = default;
};
inline constexpr pulse pulse_off{};
inline constexpr pulse pulse_on{1, 0};

struct panel_signal {
  pulse call;    // red: help has been called
  pulse answer;  // green: somebody has it
  pulse fault;   // yellow: for whoever looks after the box
  pulse buzzer;  // silent in a drill
  bool operator==(const panel_signal&) const = default;
};

enum class panel_language : std::uint8_t { japanese, english };

std::string_view name_of(panel_word word);  // "idle" "accepted" "received" "calling" "not_delivered"
panel_signal signal_of(const panel_view& what);
// What the voice says, once at each change; empty when idle. That a press is not saved is not said: nobody in need can mend it.
std::string_view voice_of(const panel_view& what, panel_language language);

}  // namespace tomoshibi::firmware
