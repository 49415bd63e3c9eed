// How long the certificates are valid that tomoshibi-ctl makes.
#pragma once

#include "protocol/adapters/pki.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/verb.hpp"

#include <algorithm>

namespace tomoshibi::ctl {

// Relay and gateway believe each other by our own CA, not by a browser's rules, and a box is not visited to renew one.
inline constexpr std::int64_t certificate_days = 3650;
inline constexpr std::int64_t certificate_days_max = 7300;
inline constexpr std::int64_t ca_days = 9125;  // 25 years

inline result<std::int64_t> read_days(const context& c) {
  return parse_integer("--days", c.text("--days", std::to_string(certificate_days)), 1, certificate_days_max);
}

// From a day ago, so that a clock that lags a little accepts it.
inline validity validity_of(wall_at now, std::int64_t days) { return {now - 24h, now + days * 24h}; }

// Never outside the CA's own dates.
inline validity validity_within(const validity& ca, wall_at now, std::int64_t days) {
  const auto wanted = validity_of(now, days);
  return {std::max(wanted.from, ca.from), std::min(wanted.until, ca.until)};
}

}  // namespace tomoshibi::ctl
