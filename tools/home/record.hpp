// A recorded home: what happened when, as CSV with the columns time,channel,value and optionally home, in any order.
//
//   time     YYYY-MM-DDTHH:MM:SS[.mmm], local time of the home (or UTC with a Z)
//   channel  1..64 bytes, one sensor or appliance
//   value    a whole number 0..65533: 1 / 0 for on / off, 1 for an event, or watts; what it means is in the mapping
//   home     1..64 bytes, where one file holds several homes
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::home {

inline constexpr std::size_t record_bytes_max = 256u << 20;
inline constexpr std::size_t events_max = 4'000'000;
inline constexpr std::size_t channels_max = 1000;
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::uint32_t value_max = 65'533;

struct record_event {
  wall_at at{};
  std::uint16_t channel = 0;             // index into record::channels
  std::uint16_t value = 0;
  bool operator==(const record_event&) const = default;
};

struct record {
  std::vector<std::string> channels;     // in order of their first event
  std::vector<record_event> events;      // by time; events of one moment stay in the file's order
};

struct record_choice {
  std::chrono::minutes zone{0};
  std::string home;                      // needed where the file holds several
};

// Errors: config_invalid with "file:line: what is allowed" for each mistake.
result<record> parse_record(std::string_view text, std::string_view file, const record_choice& choice);
result<record> read_record(const std::string& path, const record_choice& choice);

// A whole file, for this and the other inputs. Errors: not_found, too_long.
result<std::string> read_text_file(const std::string& path, std::size_t bytes_max);

}  // namespace tomoshibi::home
