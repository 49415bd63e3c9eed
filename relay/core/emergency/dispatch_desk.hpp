// The family asks the guard centre for a visit: who, why, and whether the centre has it. Not a test, and not a press.
#pragma once

#include "relay/core/emergency/guard_desk.hpp"
#include "relay/core/emergency/mail_desk.hpp"

namespace tomoshibi::relay {

struct wanted_dispatch {
  home_id home{};
  std::string who = {};                           // 1..who_bytes_max
  std::string reason = {};                        // 1..reason_bytes_max
  bool confirmed = false;                    // asked back once, and meant
};

class dispatch_desk {
public:
  dispatch_desk(desk_frame& f, guard_desk& guard, mail_desk& mails) : f_(f), log_(f.log, "dispatch"), guard_(guard), mails_(mails) {}

  void on_start(desk_turn& t);
  // Errors: refused (not confirmed, no guard centre, one for this home is on its way), not_found, too_long, malformed.
  result<dispatch_row> begin(desk_turn& t, const wanted_dispatch& w);
  void on_accepted(desk_turn& t, dispatch_id id);
  void on_wake(desk_turn& t);
  mono_time next_wake() const { return alarms_.empty() ? never : alarms_.begin()->first; }

private:
  void write(desk_turn& t, mail_readers to, emergency_notice kind, const dispatch_row& row);

  desk_frame& f_;
  logger log_;
  guard_desk& guard_;
  mail_desk& mails_;
  std::set<std::pair<mono_time, dispatch_id>> alarms_;
};

}  // namespace tomoshibi::relay
