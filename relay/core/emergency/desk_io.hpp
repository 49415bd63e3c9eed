// What the emergency desk asks of its shell: the actions of one turn, and the turn itself.
#pragma once

#include "protocol/base/time.hpp"
#include "relay/core/session_io.hpp"
#include "relay/ports/emergency_book.hpp"

namespace tomoshibi::relay {

struct guard_submit {              // hand it to the guard link; then on_guard_delivered() or on_guard_failed()
  guard_event_row what = {};
};
struct guard_cancel {              // take it back if it is still there; no outcome follows
  guard_event_id id{};
};
struct submit_emergency_mail {     // hand to the mail server, then on_mail_done(key, result)
  emergency_mail_row what = {};
  std::string to_name = {};
  std::string to_address = {};
  language lang{};
  std::string from_address = {};
};

using desk_action = std::variant<send, close, guard_submit, guard_cancel, submit_emergency_mail>;
using desk_output = std::vector<desk_action>;  // caller-owned; drained at the end of the turn, in order

struct desk_turn {
  mono_time now;
  wall_at wall;
  desk_output& out;
};

}  // namespace tomoshibi::relay
