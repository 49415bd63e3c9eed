// One connection of a gateway: cuts its bytes into messages and holds it to the order of the protocol and to its rates.
//
// States: opened -> (hello) -> live -> gone. Whatever breaks the protocol ends the session with one reason; it never
// reaches anything outside of the session. Knows nothing of other sessions, the directory or the store.
#pragma once

#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"
#include "relay/core/health.hpp"
#include "relay/core/limits.hpp"
#include "relay/core/session_io.hpp"

#include <expected>
#include <optional>
#include <string>

namespace tomoshibi::relay {

struct refusal {
  close_reason reason{};
  std::string detail;              // for the log and the bye: says what was wrong, never what was read
};

// What arrived in a window of a minute. A gateway's, not a connection's: it outlives the session (session_table).
struct rate_window {
  mono_time from{};
  std::uint32_t bytes = 0;
  std::uint32_t frames = 0;
};

class device_session {
public:
  device_session(session_id id, gateway_id gateway, const peer& who)
      : id_(id), gateway_(std::move(gateway)), who_(who) {}

  session_id id() const { return id_; }
  const gateway_id& gateway() const { return gateway_; }   // proved by its certificate
  const peer& who() const { return who_; }
  bool live() const { return live_; }

  // Counts bytes that have arrived against the rate. Call before next().
  std::optional<refusal> admit(mono_time now, std::size_t size, const limits& l);
  // The next message that is in order, or nothing when `data` is used up.
  std::expected<std::optional<wire::message>, refusal> next(byte_view& data, const limits& l, health& count);
  void become_live() { live_ = true; }
  const rate_window& rate() const { return rate_; }
  void add_rate(const rate_window& earlier, mono_time now);   // of the gateway's connection before this one

  std::uint32_t config_version = 0;      // last sent to, or told by, the gateway
  std::string firmware_version;

private:
  std::optional<refusal> out_of_order(const wire::message& m) const;

  session_id id_;
  gateway_id gateway_;
  peer who_;
  wire::frame_reader reader_;
  bool live_ = false;
  rate_window rate_;
};

wire::bye bye_for(const refusal& why);   // what the gateway is told

}  // namespace tomoshibi::relay
