// The secrets under which a relay seals the tickets of its TLS sessions: the newest seals, all of them open.
//
// They are random and not derived from one another. A secret that was thrown away cannot be had again, and whatever was
// recorded of sessions that were resumed under it stays closed (docs/adr/0010). Times are those of the relay's wall clock.
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi {

inline constexpr millis ticket_key_turn = 24h;        // so long the newest one seals
inline constexpr std::size_t ticket_keys_max = 3;     // it and two that only open: a ticket is good for at least two days
inline constexpr millis ticket_clock_slack = 5min;    // a key or ticket from further ahead was made by a clock that was wrong

struct ticket_key {
  using secret_bytes = std::array<std::uint8_t, 32>;
  wall_at made{};
  secret_bytes secret{};
  friend bool operator==(const ticket_key&, const ticket_key&) = default;
};

class ticket_keys {
public:
  // The text of a key file: a line of "<made, ms since 1970> <64 hex digits>" for each key, newest first.
  // Errors: storage_corrupt, with the line.
  static result<ticket_keys> parse(std::string_view text);
  std::string text() const;

  // Whether there is no key, the newest has sealed long enough, or it is from a wrong future.
  bool due(wall_at now) const;
  // From now on `secret` seals. Keys that are one too many, and those of a wrong future, are gone.
  void turn(wall_at now, const ticket_key::secret_bytes& secret);

  const std::vector<ticket_key>& newest_first() const { return keys_; }

private:
  std::vector<ticket_key> keys_;
};

}  // namespace tomoshibi
