// One connection of a gateway, on the device channel or on the emergency lane: cuts its bytes
// into messages and holds it to the order of the protocol and to its rates.
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

// What a gateway has sent in this minute. Goes from one connection of a gateway to its next.
struct session_rate {
  mono_time from{};                      // rates are counted in windows of a minute
  std::uint32_t bytes = 0;
  std::uint32_t frames = 0;
  std::uint32_t hellos = 0;

  void roll(mono_time now);              // begins a new window when it is time
};
inline constexpr millis rate_window = std::chrono::minutes{1};

enum class session_kind : std::uint8_t { device, lane };   // the channel's messages, or the emergency lane's

class device_session {
public:
  device_session(session_id id, gateway_id gateway, const peer& who, session_kind kind = session_kind::device)
      : id_(id), gateway_(std::move(gateway)), who_(who), kind_(kind) {}

  session_id id() const { return id_; }
  const gateway_id& gateway() const { return gateway_; }   // proved by its certificate
  const peer& who() const { return who_; }
  bool live() const { return live_; }

  // Counts bytes that have arrived against the rate. Call before next().
  std::optional<refusal> admit(mono_time now, std::size_t size, const limits& l);
  // The next message that is in order, or nothing when `data` is used up.
  std::expected<std::optional<wire::message>, refusal> next(byte_view& data, const limits& l, health& count);
  void become_live() { live_ = true; }
  bool inside_frame() const { return reader_.inside_frame(); }
  std::uint64_t frames_taken() const { return frames_taken_; }
  const session_rate& rate() const { return rate_; }
  // The gateway's former connection counts too. Called with the hello that proves it is the same one.
  std::optional<refusal> go_on_counting(const session_rate& former, mono_time now, const limits& l);

  std::uint32_t config_version = 0;      // last sent to, or told by, the gateway

private:
  std::optional<refusal> out_of_order(const wire::message& m) const;
  std::optional<refusal> out_of_place(const wire::message& m) const;

  session_id id_;
  gateway_id gateway_;
  peer who_;
  session_kind kind_;
  wire::frame_reader reader_;
  bool live_ = false;
  session_rate rate_;
  std::uint64_t frames_taken_ = 0;
};

wire::bye bye_for(const refusal& why);   // what the gateway is told

}  // namespace tomoshibi::relay
