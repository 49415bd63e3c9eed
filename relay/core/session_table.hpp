// All connections: who they are, which one stands for a gateway, and how long they may be silent.
//
// A connection is checked twice. On opening: the certificate's name is a known gateway, not revoked, and the certificate is
// the enrolled one. On hello: protocol version and claimed name. The newest live connection of a gateway replaces the older.
// Refusals are told to the peer (bye), logged once, counted, and cost the others nothing.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/device_session.hpp"
#include "relay/core/directory.hpp"
#include "relay/core/recency.hpp"
#include "relay/core/turn.hpp"

#include <map>
#include <unordered_map>

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

// Whether this certificate is let in at all; nothing: it is.
std::optional<refusal> check_certificate(const peer& who, const directory& known);

class session_table {
public:
  session_table(const limits& l, health& count, log_sink& log, session_listener& listener)
      : limits_(l), count_(count), log_(log, "session"), listener_(listener) {}

  void on_open(turn& t, session_id id, const peer& who, const directory& known);
  void on_bytes(turn& t, session_id id, byte_view data);
  void on_closed(session_id id, mono_time now);
  void on_wake(turn& t);
  void on_directory(turn& t, const directory& known);  // drops who is no longer let in, pushes configurations
  void end(turn& t, const gateway_id& gateway, const refusal& why);  // its live session, if it has one
  void close_all(turn& t);

  bool send_to(turn& t, const gateway_id& gateway, const wire::message& m);  // false: it has no live session
  const device_session* live_session(const gateway_id& gateway) const;
  mono_time next_wake() const;
  std::size_t size() const { return sessions_.size(); }

private:
  using table = std::unordered_map<session_id, device_session>;

  std::optional<refusal> take(turn& t, device_session& s, wire::message& m, bool& said_bye);
  std::optional<refusal> take_hello(turn& t, device_session& s, const wire::hello& h);
  void push_config(turn& t, device_session& s);
  void send(turn& t, session_id id, const wire::message& m);
  void refuse(turn& t, device_session& s, const refusal& why);
  void forget(session_id id, mono_time now);

  const limits& limits_;
  health& count_;
  logger log_;
  session_listener& listener_;
  table sessions_;
  std::map<gateway_id, session_id> live_;
  recency<session_id> greeting_;  // opened, no hello yet
  recency<session_id> heard_;     // live
  recency<session_id> inside_;    // live, a frame has begun and is not whole
  std::map<gateway_id, session_rate> former_;  // of connections that ended within the last minute
  recency<gateway_id> former_age_;
};

}  // namespace tomoshibi::relay
