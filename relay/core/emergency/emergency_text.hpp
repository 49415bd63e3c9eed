// The words of every mail of the emergency part: subject and text for one (notice, reader). Pure.
//
// A mail about a drill says so in its subject and in its first line. "The guard centre has it" is written only where the
// press, or the request, is accepted. Nothing here names a key, an account or an address.
#pragma once

#include "relay/core/mail_text.hpp"
#include "relay/ports/emergency_book.hpp"

#include <optional>
#include <vector>

namespace tomoshibi::relay {

struct emergency_facts {
  emergency_notice kind{};
  home where = {};
  contact to = {};                                // language, role and name are used
  bool has_centre = false;                   // the home has an account and the relay a receiver
  std::optional<press_row> press = {};            // press*, drill_unanswered if a press came
  std::optional<guard_event_row> event = {};      // event_refused
  std::optional<trouble_row> trouble = {};        // trouble*
  std::optional<dispatch_row> dispatch = {};      // dispatch*
  std::optional<drill_row> drill = {};            // drill_unanswered
  std::vector<gateway_id> gateways = {};          // of the home, for provider mails
  wall_at now{};
};

notice_text compose_emergency(const emergency_facts& f);

}  // namespace tomoshibi::relay
