// The time of a frame and of an occurrence: HH:MM:SS,MM-DD-YYYY, always UTC, whole seconds.
#pragma once

#include "protocol/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::dc09 {

inline constexpr std::size_t stamp_chars = 19;

std::string write_stamp(wall_at at);                           // years 0..9999; parts of a second are cut off
std::optional<wall_at> read_stamp(std::string_view text);      // exactly this form and a time that exists

}  // namespace tomoshibi::dc09
