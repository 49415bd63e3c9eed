// How long a press took for each hop, by the gateway's one monotonic clock (PressReport). Microseconds.
//
//   press --durable--> on the gateway's disk --stored--> on the relay's disk --centre--> guard centre's ACK --shown--> panel
//                                           \--direct------------------------------------^   (the gateway's own path)
#pragma once

#include "relay/ports/emergency_book.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tomoshibi::relay {

enum class press_hop : std::uint8_t {
  durable,   // press -> on the gateway's disk
  stored,    // -> on the relay's disk, as its answer arrived at the gateway
  centre,    // -> the guard centre's acknowledgement, as the relay's word of it arrived at the gateway
  direct,    // gateway's disk -> the guard centre's acknowledgement, by the direct path
  shown,     // acknowledgement -> on the panel
  to_ack,    // press -> acknowledgement, by whichever path
  whole,     // press -> on the panel
};
inline constexpr std::size_t press_hops = 7;
std::string_view name_of(press_hop hop);     // "durable" "stored" "centre" "direct" "shown" "to_ack" "whole"

// Nothing: the press did not go that way, was not timed, or says that a hop ended before it began.
std::optional<std::uint32_t> hop_us(const press_row& p, press_hop hop);

// A histogram with named bounds, for metrics: added to when a press's final report is durable.
class delay_histogram {
public:
  static constexpr std::array<std::uint32_t, 12> bounds_us{1'000,   5'000,     10'000,    25'000,    50'000,     100'000,
                                                           250'000, 1'000'000, 5'000'000, 10'000'000, 30'000'000, 300'000'000};
  void add(std::uint32_t us);
  std::uint64_t count() const { return count_; }
  std::uint64_t sum_us() const { return sum_us_; }
  std::uint32_t max_us() const { return max_us_; }
  std::uint64_t at_most(std::size_t bound) const { return at_most_[bound]; }  // how many took bounds_us[bound] or less

private:
  std::array<std::uint64_t, bounds_us.size()> at_most_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_us_ = 0;
  std::uint32_t max_us_ = 0;
};

// Of presses whose final report came since the start. Drills apart: they are made when somebody looks on.
struct press_delays {
  std::array<delay_histogram, press_hops> real;
  std::array<delay_histogram, press_hops> drills;
  std::uint64_t interrupted = 0;             // reported without times: the box began anew meanwhile
  void add(const press_row& reported);
};

}  // namespace tomoshibi::relay
