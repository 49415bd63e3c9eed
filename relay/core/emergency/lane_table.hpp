// All emergency lanes: who they are, which one stands for a gateway, and how long it may be silent.
//
// Admission is the device channel's (the certificate's name is enrolled, not revoked, and the certificate the issued one), and so
// are order and rates. A lane is opened -> (hello) -> live -> gone. The newest live lane of a gateway replaces the older.
#pragma once

#include "relay/core/device_session.hpp"
#include "relay/core/emergency/desk_frame.hpp"
#include "relay/core/recency.hpp"

#include <unordered_map>

namespace tomoshibi::relay {

// What the table tells the desk. Called within the turn; must not call back into the table except send_to().
class lane_listener {
public:
  virtual void on_lane_up(desk_turn& t, const gateway_id& gateway) = 0;     // after its welcome
  virtual void on_lane_down(desk_turn& t, const gateway_id& gateway) = 0;
  virtual void on_lane_heard(desk_turn& t, const gateway_id& gateway) = 0;  // any byte of a live one
  virtual std::optional<refusal> on_press(desk_turn& t, const gateway_id& gateway, const wire::press& p) = 0;
  virtual std::optional<refusal> on_report(desk_turn& t, const gateway_id& gateway, const wire::press_report& r) = 0;
  virtual std::optional<refusal> on_box_state(desk_turn& t, const gateway_id& gateway, const wire::box_state& s) = 0;

protected:
  ~lane_listener() = default;
};

class lane_table {
public:
  lane_table(desk_frame& f, lane_listener& listener);

  void on_open(desk_turn& t, session_id id, const peer& who);
  void on_bytes(desk_turn& t, session_id id, byte_view data);
  void on_closed(desk_turn& t, session_id id);
  void on_wake(desk_turn& t);
  void on_directory(desk_turn& t);           // drops who is no longer let in
  void close_all(desk_turn& t);

  bool send_to(desk_turn& t, const gateway_id& gateway, const wire::message& m);  // false: no lane stands
  bool stands(const gateway_id& gateway) const { return live_.contains(gateway); }
  mono_time next_wake() const;
  std::size_t size() const { return lanes_.size(); }
  std::size_t live() const { return live_.size(); }

private:
  std::optional<refusal> take(desk_turn& t, device_session& s, const wire::message& m, bool& said_bye);
  std::optional<refusal> take_hello(desk_turn& t, device_session& s, const wire::lane_hello& h);
  void send(desk_turn& t, session_id id, const wire::message& m);
  void refuse(desk_turn& t, device_session& s, const refusal& why);
  void forget(desk_turn& t, session_id id);

  desk_frame& f_;
  logger log_;
  lane_listener& listener_;
  limits session_limits_;                    // the lane's rates in the form that a session takes
  health session_counts_;                    // what sessions count; only their frames
  std::unordered_map<session_id, device_session> lanes_;
  std::map<gateway_id, session_id> live_;
  recency<session_id> greeting_;             // opened, no hello yet
  recency<session_id> heard_;                // live
  recency<session_id> inside_;               // live, a frame has begun and is not whole
  std::map<gateway_id, session_rate> former_;  // of lanes that ended within the last minute
  recency<gateway_id> former_age_;
};

}  // namespace tomoshibi::relay
