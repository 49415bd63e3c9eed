// The gateway's side of the emergency lane: a connection of its own to the relay, always open (docs/PROTOCOL.md, ADR 12).
//
//   off          no relay is configured, or stopped
//   idle         waiting to dial
//   connecting   link_open was asked for
//   hello_sent   the link is up, lane_hello is the only thing sent, lane_welcome is awaited
//   up           presses, news, reports, pings
//
// A link that dies for whatever reason leads to idle. Back-off: 250 ms doubling to 10 s, half of it jitter, reset after 10 s up;
// a relay that refuses us (revoked, not enrolled, another version) is tried again after a minute. While a press is open
// (`set_urgent`) no wait is longer than a second, whatever the relay said; an attempt that hangs is given up after 4 s, the next
// after 8, 16, 20: a line of many seconds gets through as well; and a dead line is found within 12 s instead of 50.
#pragma once

#include "firmware/core/link.hpp"
#include "firmware/core/relay_time.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"
#include "protocol/base/time.hpp"
#include "protocol/wire/message_reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr millis lane_backoff_first{250};
inline constexpr millis lane_backoff_max{10'000};
inline constexpr millis lane_backoff_refused{60'000};
inline constexpr millis lane_backoff_urgent{1'000};
inline constexpr millis lane_up_resets_backoff{10'000};
inline constexpr millis lane_patience_max{20'000};      // TCP and TLS together; and the same for a welcome
inline constexpr millis lane_patience_urgent{4'000};    // doubling to lane_patience_max
inline constexpr millis lane_ping_after{20'000};        // without sending
inline constexpr millis lane_silence_max{50'000};       // without a byte from the relay: the line is dead
inline constexpr millis lane_ping_after_urgent{4'000};
inline constexpr millis lane_silence_urgent{12'000};

struct lane_setup {
  gateway_id id;                 // the name in the certificate
  std::uint64_t boot = 0;        // as told on the device channel
  std::string firmware_version;
  std::uint64_t seed = 0;        // jitter, nonces
  bool dials = true;             // false: no relay is configured
};

// What a turn learned from the relay. `down` after `up` in one turn: it came and went.
struct lane_news {
  bool up = false;               // send what is open
  bool down = false;
  std::optional<relay_time> time;
  std::vector<wire::press_news> stages;
  std::vector<std::uint64_t> drills;      // requests
};

enum class lane_state : std::uint8_t { off, idle, connecting, hello_sent, up };
std::string_view name_of(lane_state state);

class lane {
public:
  lane(const lane_setup& setup, log_sink& sink);

  void on_start(mono_time now);
  void on_link_open(mono_time now, link_number link, std::vector<link_action>& out);
  void on_link_bytes(mono_time now, link_number link, byte_view data, std::vector<link_action>& out, lane_news& news);
  void on_link_closed(mono_time now, link_number link, const error& why, lane_news& news);
  void on_wake(mono_time now, std::vector<link_action>& out, lane_news& news);
  void on_stop(mono_time now, std::vector<link_action>& out);

  // Another certificate or other addresses: dials at once. A lane that is up goes on unless its address may be gone.
  void on_relay_changed(mono_time now, bool addresses, std::vector<link_action>& out, lane_news& news);

  // While a press is open; the beginning of it dials at once.
  void set_urgent(mono_time now, bool urgent);
  // A press was not answered: this link is dead, the next one is dialled at once. News are not told.
  void redial(mono_time now, std::vector<link_action>& out);
  void send(mono_time now, const wire::message& message, std::vector<link_action>& out);  // only while up

  lane_state state() const { return state_; }
  bool up() const { return state_ == lane_state::up; }
  mono_time next_wake() const;

  struct counters {
    std::uint64_t connects = 0;
    std::uint64_t sessions = 0;
    std::uint64_t sessions_lost = 0;   // that were up, and ended without our wish
    std::uint64_t malformed = 0;
  };
  const counters& counts() const { return counts_; }

private:
  bool current(link_number link) const { return link == link_ && state_ >= lane_state::connecting; }
  void dial(mono_time now, std::vector<link_action>& out);
  void take(mono_time now, const wire::message& message, std::vector<link_action>& out, lane_news& news);
  void take_welcome(mono_time now, const wire::lane_welcome& welcome, lane_news& news);
  void take_bye(mono_time now, const wire::bye& bye, std::vector<link_action>& out, lane_news& news);
  void refuse(mono_time now, std::string_view what, std::vector<link_action>& out, lane_news& news);
  void leave(mono_time now, wire::bye_reason reason, std::string_view text, std::vector<link_action>& out);
  void drop(mono_time now, std::vector<link_action>& out);
  void ended(mono_time now);
  void lost(lane_news& news);
  void back_off(mono_time now, bool refused = false);
  void put(mono_time now, const wire::message& message, std::vector<link_action>& out);
  millis patience() const;
  mono_time ping_at() const;
  mono_time dead_at() const;

  lane_setup setup_;
  logger log_;
  prng random_;
  lane_state state_ = lane_state::off;
  link_number link_ = 0;
  bool urgent_ = false;
  mono_time urgent_since_{};
  mono_time dial_at_ = never;          // idle
  mono_time attempt_since_{};          // connecting, hello_sent: of this step
  mono_time up_since_{};
  mono_time last_sent_{};
  mono_time last_heard_{};
  std::uint32_t failures_ = 0;         // in a row
  wire::message_reader reader_;
  counters counts_;
};

}  // namespace tomoshibi::firmware
