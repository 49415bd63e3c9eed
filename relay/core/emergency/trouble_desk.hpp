// Troubles of boxes and buttons, as their gateways tell them: a state, so that what is told twice changes nothing.
//
// A button that is stuck or silent, mains and battery go to the guard centre: begun with the first of its kind in a home, restored
// with the last. Each is told to the provider, and its end. The alerts of the three-day rule go the same way, as 654.
#pragma once

#include "relay/core/emergency/guard_desk.hpp"
#include "relay/core/emergency/mail_desk.hpp"
#include "relay/core/session_table.hpp"

namespace tomoshibi::relay {

class trouble_desk {
public:
  trouble_desk(desk_frame& f, guard_desk& guard, mail_desk& mails) : f_(f), log_(f.log, "trouble"), guard_(guard), mails_(mails) {}

  void on_box_state(desk_turn& t, const gateway_id& gateway, const wire::box_state& s);
  void on_wake(desk_turn& t);
  mono_time next_wake() const;
  void on_directory(desk_turn& t);           // troubles of a gateway that is gone are over: the centre hears it, nobody gets a mail

  // An alert of the three-day rule began or is over; told again: nothing.
  void on_alert(desk_turn& t, home_id home, appliance_id appliance, std::int32_t since, bool open);
  // All that are open now: what is not among them is over.
  void on_alerts(desk_turn& t, const std::set<alert_key>& open);

private:
  // Of one gateway. What comes over it waits for the next hour, the last state only: a loose plug must not cost a lane.
  struct rate {
    mono_time from{};
    std::uint32_t changes = 0;
    std::optional<wire::box_state> waits;
  };
  std::vector<trouble_row> of(const gateway_id& gateway) const;
  void begin(desk_turn& t, trouble_row row);
  void end(desk_turn& t, trouble_row row);
  void tell_centre(desk_turn& t, const trouble_row& row, dc09::edge how);
  void write(desk_turn& t, emergency_notice kind, const trouble_row& row);

  desk_frame& f_;
  logger log_;
  guard_desk& guard_;
  mail_desk& mails_;
  std::map<gateway_id, rate> rates_;
};

}  // namespace tomoshibi::relay
