// What an operator, or the family's page, asks of the emergency part while it runs. Asked on the main loop, answered on it.
//
// The answer comes when the request is durable in the book, which then says what becomes of it (drill_row, guard_event_row,
// dispatch_row): whoever asked reads on there. Nothing here waits for a gateway or a guard centre.
#pragma once

#include "protocol/base/ids.hpp"
#include "protocol/base/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace tomoshibi::relay {

// The gateway of the home is asked to make a drill press. Answer: drill_row::request.
struct ask_drill {
  home_id home{};
};

// The guard centre is sent a test of this account (manual_test, 601): does the line work, and does it know the account?
// Answer: guard_event_row::id.
struct ask_guard_test {
  home_id home{};
};

// The family asks for a visit. who and reason stay in the book and the mails. Answer: dispatch_row::id.
struct ask_dispatch {
  home_id home{};
  std::string who;                 // 1..who_bytes_max bytes of UTF-8 on one line
  std::string reason;              // 1..reason_bytes_max
};

using emergency_request = std::variant<ask_drill, ask_guard_test, ask_dispatch>;

// Why a home has no drill, test or visit while the guard centre does not know it, and what to do about it.
inline std::string no_account_text(home_id home) {
  const std::string number = std::to_string(static_cast<std::uint32_t>(home));
  return "home " + number + " has no account at the guard centre; give it one: tomoshibi-ctl guard set " + number + " --account A";
}

// Errors: not_found (no such home); refused, with what is missing in words (no account at the guard centre, no guard centre
// configured, the home's gateway is not connected, another drill runs, too many wait); storage_*: it could not be made durable.
using emergency_answer = std::function<void(result<std::uint64_t> id)>;

class emergency_requests {
public:
  virtual ~emergency_requests() = default;
  virtual void ask(emergency_request what, emergency_answer answer) = 0;   // may answer at once
};

}  // namespace tomoshibi::relay
