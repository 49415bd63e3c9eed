// Calendar text as records and people write it: "2019-05-29", "2019-05-29T21:35:09", "2019-05-29T21:35:09.250",
// with an optional "Z". Years 1970..2199. Text without a zone is read in the zone that the caller gives.
#pragma once

#include "protocol/base/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::replay {

// Nothing if the text is of another form or names a day or second that does not exist.
std::optional<wall_at> parse_iso_time(std::string_view text, std::chrono::minutes zone = {});

// "2019-05-29T21:35:09Z", with ".250" before the Z where milliseconds are not zero.
std::string format_iso_time(wall_at at);

// "+09:00", "-03:30", "Z"; at most 14 hours.
std::optional<std::chrono::minutes> parse_zone(std::string_view text);

}  // namespace tomoshibi::replay
