// Drills: asked for by an operator, asked of the gateway, answered by a press that is a test on every hop, over after ten minutes.
#pragma once

#include "relay/core/emergency/guard_desk.hpp"
#include "relay/core/emergency/lane_table.hpp"
#include "relay/core/emergency/mail_desk.hpp"

namespace tomoshibi::relay {

class drill_desk {
public:
  drill_desk(desk_frame& f, mail_desk& mails) : f_(f), log_(f.log, "drill"), mails_(mails) {}

  void on_start(desk_turn& t);
  // Of this home's gateway, the one whose lane stands if there are several. Errors: not_found (no home, no gateway), refused (no
  // guard centre; a drill of this gateway runs).
  result<drill_row> begin(desk_turn& t, home_id home, lane_table& lanes);
  void on_lane_up(desk_turn& t, const gateway_id& gateway, lane_table& lanes);
  void on_press(desk_turn& t, const press_row& press);     // a test that names its request
  void on_accepted(desk_turn& t, const press_row& press);
  void on_wake(desk_turn& t);
  mono_time next_wake() const { return ends_.empty() ? never : ends_.begin()->first; }

private:
  void end(desk_turn& t, drill_row drill, bool answered);

  desk_frame& f_;
  logger log_;
  mail_desk& mails_;
  std::set<std::pair<mono_time, std::uint64_t>> ends_;
};

}  // namespace tomoshibi::relay
