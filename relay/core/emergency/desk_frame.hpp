// What all parts of the emergency desk stand on: rows, directory, limits, numbers. Owned by emergency_desk.
#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"
#include "relay/core/directory_index.hpp"
#include "relay/core/emergency/desk_io.hpp"
#include "relay/core/emergency/desk_rows.hpp"
#include "relay/core/emergency/emergency_health.hpp"
#include "relay/core/emergency/emergency_limits.hpp"
#include "relay/core/emergency/emergency_text.hpp"
#include "relay/ports/emergency_requests.hpp"

#include <memory>

namespace tomoshibi::relay {

struct desk_frame {
  emergency_limits limits;
  emergency_book& book;
  log_sink& log;
  prng random;                                 // references: names, not keys
  bool centre_set = false;                     // a receiver is configured
  std::string mail_from;
  notice_text (*compose)(const emergency_facts&) = compose_emergency;

  std::shared_ptr<const known_world> world = std::make_shared<known_world>();
  desk_rows rows = {};
  emergency_health count = {};

  const relay::home* home(home_id id) const {
    const auto at = world->all.homes.find(id);
    return at == world->all.homes.end() ? nullptr : &at->second;
  }
  const relay::gateway* gateway(const gateway_id& id) const {
    const auto at = world->all.gateways.find(id);
    return at == world->all.gateways.end() ? nullptr : &at->second;
  }
  // The account under which the centre knows this home; nothing: it has no centre.
  const guard_account* account(home_id id) const {
    const auto at = world->all.guards.find(id);
    return !centre_set || at == world->all.guards.end() ? nullptr : &at->second;
  }
  // Why account() has nothing, and what an operator does about it.
  std::string no_account(home_id id) const {
    if (!centre_set)
      return "no guard centre is set up: name its receivers in relay.toml (guard.receivers) and restart the relay";
    return no_account_text(id);
  }
  std::uint64_t name() {                       // random, not 0
    for (;;)
      if (const auto n = random.next(); n != 0) return n;
  }
};

// What is left of `length` since `since`, by the calendar; after a step of the clock never more than `length`.
inline millis left_of(millis length, wall_at since, wall_at wall) {
  const millis gone = wall - since;
  return gone < millis{0} ? length : gone >= length ? millis{0} : length - gone;
}

}  // namespace tomoshibi::relay
