// The gateway's side of the session with the relay (docs/PROTOCOL.md).
//
//   off          no relay is configured, or stopped
//   idle         waiting to dial: not ready (nothing to say hello with) or backing off
//   connecting   link_open was asked for
//   hello_sent   the link is up, hello is the only thing sent, welcome is awaited
//   live         records, acks, pings
//
// A link that dies for whatever reason leads to idle. Back-off: 1 s doubling to 300 s, full jitter from the seed, reset
// after a minute live. A relay that refuses us for good reasons (revoked, not enrolled, wrong name) is tried again after
// an hour, one that speaks another protocol version after ten minutes: nothing the gateway does can change either.
#pragma once

#include "firmware/core/gateway.hpp"
#include "firmware/core/outbox.hpp"
#include "protocol/base/prng.hpp"
#include "protocol/wire/message_reader.hpp"

#include <deque>

namespace tomoshibi::firmware {

inline constexpr millis backoff_first = 1s;
inline constexpr millis backoff_max = 300s;
inline constexpr millis backoff_refused = 1h;
inline constexpr millis backoff_version = 10min;
inline constexpr millis live_resets_backoff = 60s;
inline constexpr millis connect_limit = 60s;    // TCP and TLS together, on a slow line
inline constexpr millis welcome_limit = 30s;
inline constexpr std::size_t frames_in_flight_max = 8;

// What a hello says beside the log.
struct hello_facts {
  std::uint32_t config_version = 0;
  std::optional<wall_at> wall;
  bool clock_synced = false;
};

// What a turn learned from the relay.
struct uplink_news {
  std::optional<relay_time> time;
  std::optional<wire::config> config;
};

class uplink {
public:
  uplink(const gateway_setup& setup, outbox& log, log_sink& sink);

  void on_ready(mono_time now);                // the outbox is loaded; from now on it dials
  void on_link_open(mono_time now, link_number link, const hello_facts& facts, gateway_output& out);
  void on_link_bytes(mono_time now, link_number link, byte_view data, gateway_output& out, uplink_news& news);
  void on_link_closed(mono_time now, link_number link, const error& why);
  void on_wake(mono_time now, gateway_output& out);
  void on_stop(mono_time now, gateway_output& out);

  // Another certificate, or other addresses: dials at once. A session that stands goes on unless its address may be gone.
  void on_relay_changed(mono_time now, bool addresses, gateway_output& out);

  // The log now holds other records than the session was told (a new epoch): begin anew.
  void restart(mono_time now, gateway_output& out);
  // Answers a configuration; kept until the session can carry it.
  void answer_config(wire::config_applied answer) { config_answer_ = std::move(answer); }
  // A slot has closed and is about to be logged: it waits for this gateway's turn, if nothing else is to be sent.
  void on_slot_closed(mono_time now);
  void hurry() { held_until_ = never; }        // something else is to be sent: nothing waits
  // Sends what the window and the log allow. Last thing of a turn.
  void pump(mono_time now, gateway_output& out);

  uplink_state state() const { return state_; }
  mono_time next_wake() const;

  struct counters {
    std::uint64_t connects = 0;
    std::uint64_t sessions = 0;
    std::uint64_t sessions_lost = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t records_sent = 0;
    std::uint64_t malformed = 0;
  };
  const counters& counts() const { return counts_; }

private:
  bool current(link_number link) const { return link == link_ && state_ >= uplink_state::connecting; }
  void dial(mono_time now, gateway_output& out);
  void send(mono_time now, const wire::message& message, gateway_output& out);
  void send_frame(mono_time now, bytes frame, gateway_output& out);
  bool send_records(mono_time now, gateway_output& out);
  void take(mono_time now, const wire::message& message, gateway_output& out, uplink_news& news);
  void take_welcome(mono_time now, const wire::welcome& welcome, gateway_output& out, uplink_news& news);
  void take_ack(mono_time now, record_seq acked, gateway_output& out);
  void take_pong(mono_time now, const wire::pong& pong, uplink_news& news) const;
  void take_bye(mono_time now, const wire::bye& bye, gateway_output& out);
  void refuse(mono_time now, std::string_view what, gateway_output& out);
  void leave(mono_time now, wire::bye_reason reason, std::string_view text, gateway_output& out);
  void drop(mono_time now, gateway_output& out);
  bool held(mono_time now) const { return held_until_ != never && now < held_until_; }
  bool nothing_to_send() const { return in_flight_.empty() && next_to_send_ == log_.next(); }
  void renew(mono_time now, gateway_output& out);
  void back_off(mono_time now);
  void back_off_for(mono_time now, millis base);
  void ended(mono_time now);

  keep_alive keep_alive_;
  gateway_id id_;
  std::uint64_t boot_;
  std::string firmware_version_;
  bool dials_;
  outbox& log_;
  logger logger_;
  prng random_;
  uplink_state state_ = uplink_state::off;
  link_number link_ = 0;
  mono_time dial_at_ = never;      // idle
  mono_time deadline_ = never;     // connecting, hello_sent
  mono_time last_sent_{};
  mono_time last_heard_{};
  mono_time hello_at_{};
  mono_time live_since_{};
  millis upload_delay_{};          // this gateway's own, the same at every slot
  mono_time held_until_ = never;   // never: nothing is held back
  mono_time renew_at_ = never;
  bool with_certificate_ = false;  // the next dial
  std::uint32_t failures_ = 0;     // in a row
  wire::message_reader reader_;
  record_seq next_to_send_ = 1;
  std::deque<record_seq> in_flight_;  // last sequence of each records frame not yet acknowledged
  std::uint64_t ping_nonce_ = 0;      // of the ping not yet answered, 0 = none
  mono_time ping_at_{};
  std::optional<wire::config_applied> config_answer_;
  counters counts_;
};

}  // namespace tomoshibi::firmware
