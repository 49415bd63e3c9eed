// The emergency lanes: connections (connection_table.hpp) that bring presses, their reports and what is wrong with a box.
#pragma once

#include "relay/core/connection_table.hpp"
#include "relay/core/emergency/desk_frame.hpp"

namespace tomoshibi::relay {

// What the table tells the desk. Called within the turn; must not call back into the table except send_to().
class lane_listener {
public:
  virtual void on_lane_up(desk_turn& t, const gateway_id& gateway) = 0;     // after its welcome
  virtual void on_lane_down(desk_turn& t, const gateway_id& gateway) = 0;
  virtual void on_lane_heard(desk_turn& t, const gateway_id& gateway) = 0;  // any byte of a live one
  virtual std::optional<refusal> on_press(desk_turn& t, const gateway_id& gateway, const wire::press& p) = 0;
  virtual std::optional<refusal> on_report(desk_turn& t, const gateway_id& gateway, const wire::press_report& r) = 0;
  virtual void on_box_state(desk_turn& t, const gateway_id& gateway, const wire::box_state& s) = 0;

protected:
  ~lane_listener() = default;
};

// The limits of a connection, and what connections count: bases, so that they are there before the table that refers to them.
struct lane_bounds {
  limits lane_limits;
  health lane_counts;
};

class lane_table final : private lane_bounds, public connection_table<desk_turn> {
public:
  lane_table(const emergency_limits& l, log_sink& log, lane_listener& listener);

  const health& counts() const { return lane_counts; }

private:
  std::optional<refusal> take(desk_turn& t, device_session& s, wire::message& m) override;
  void on_heard(desk_turn& t, const gateway_id& gateway) override { listener_.on_lane_heard(t, gateway); }
  void on_gone(desk_turn& t, const gateway_id& gateway) override { listener_.on_lane_down(t, gateway); }
  std::optional<refusal> take_hello(desk_turn& t, device_session& s, const wire::lane_hello& h);

  lane_listener& listener_;
};

}  // namespace tomoshibi::relay
