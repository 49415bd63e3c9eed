// The sessions of the device channel: connections (connection_table.hpp) that bring records and take configurations.
#pragma once

#include "relay/core/connection_table.hpp"
#include "relay/core/turn.hpp"

namespace tomoshibi::relay {

// What the table asks of the rest of the core. Called within the turn; must not call back into the table except send_to().
class session_listener {
public:
  virtual void on_heard(turn& t, const gateway_id& gateway) = 0;
  virtual wire::welcome on_hello(turn& t, const gateway_id& gateway, const wire::hello& h) = 0;
  virtual std::optional<refusal> on_records(turn& t, const gateway_id& gateway, wire::records&& r) = 0;
  virtual void on_config_applied(turn& t, const gateway_id& gateway, const wire::config_applied& c) = 0;
  virtual const wire::config* config_for(const gateway_id& gateway) const = 0;  // nothing: this home has none

protected:
  ~session_listener() = default;
};

class session_table final : public connection_table<turn> {
public:
  session_table(const limits& l, health& count, log_sink& log, session_listener& listener)
      : connection_table(session_kind::device, "session", l, count, log), listener_(listener) {}

  void push_configs(turn& t);      // to each that runs another one

private:
  std::optional<refusal> take(turn& t, device_session& s, wire::message& m) override;
  void on_heard(turn& t, const gateway_id& gateway) override { listener_.on_heard(t, gateway); }
  std::optional<refusal> take_hello(turn& t, device_session& s, const wire::hello& h);
  void push_config(turn& t, device_session& s);

  session_listener& listener_;
};

}  // namespace tomoshibi::relay
