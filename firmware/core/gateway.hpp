// The gateway, without a socket, a clock or a file: drivers -> watch -> aggregator -> outbox -> uplink, composed.
//
// The shell (or the simulator) calls one on_<event> per happening, with the monotonic time; after each call it carries
// out what was appended to `gateway_output`, clears it, and arms one timer for next_wake(). Storage is the synchronous
// port given at construction. Single-threaded; no re-entry: an output is acted on after the call has returned.
// Semantics: docs/ARCHITECTURE.md, "The gateway".
//
// Turn order: what happened is taken in by the drivers, watched, aggregated; records and checkpoint are committed in one
// outbox_batch; only what is durable is offered to the uplink. A store that fails does not stop the gateway: records
// wait in memory (bounded) and the commit is tried again every few seconds.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/link.hpp"
#include "firmware/core/relay_time.hpp"
#include "firmware/ports/outbox_store.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/net.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"
#include "protocol/wire/messages.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

// The machine's calendar clock at one moment. `disciplined`: the kernel says that a time service steers it
// (adjtimex(2) without STA_UNSYNC); then it is trusted, otherwise it is at best plausible.
struct system_clock_reading {
  wall_at at{};
  bool disciplined = false;
};

// How the line is kept warm and found dead. The relay calls a gateway down after 90 s of silence, so the product does not
// change these; the simulator does where it wants many homes rather than exact lines.
struct keep_alive {
  millis ping_after = 30s;                  // without sending
  millis silence_limit = 75s;               // without a byte from the relay: the line is dead
  // A slot that has just closed is sent after a delay of this gateway's own, up to this: all gateways close theirs at the
  // same instant. Never longer than that one slot: whatever else there is to say is said at once, and the slot before it.
  millis upload_spread{0};
  // A session that has stood so long, and up to two fifths longer, is ended in order and begun again with the certificate:
  // that renews the ticket by which a lost session is resumed (docs/adr/0010). 0: never.
  millis renew_after{0};
};
inline constexpr millis upload_spread_product = 20s;   // of a slot of 900 s, and far below what anybody waits for
inline constexpr millis renew_after_product = 20h;     // a ticket is good for 48

// Who hears of emergency buttons. Called within the turn, before anything of it is committed: a press waits for no outbox. It
// must not call back. `wall` 0: no time is known.
class button_listener {
public:
  virtual ~button_listener() = default;
  virtual void on_button_reading(mono_time now, wall_at wall, const drivers::reading& reading) = 0;
  virtual void on_button_presence(mono_time now, wall_at wall, const drivers::device_presence& presence) = 0;
};

struct gateway_setup {
  gateway_id id;                            // the name in the certificate; told in hello
  std::uint64_t boot = 0;                   // new at each start of the program (random, or counted by the simulator)
  std::string firmware_version;             // <= 32 bytes, told in hello
  std::uint64_t seed = 0;                   // jitter of the back-off, nonces, the epoch of a store made anew is the store's
  wall_at built{};                          // build date: an undisciplined clock before this is not plausible
  std::optional<wire::config> file_config;  // from the local file; the store's (relay's) stands if its version is higher
  keep_alive line{};
  bool dials = true;                        // false: no relay is configured, the gateway only aggregates
  button_listener* buttons = nullptr;       // outlives the gateway; with it, buttons are looked for and polled
};

// ---- what a turn asks for

struct driver_datagram {
  std::size_t driver = 0;                   // index into the span of drivers
  drivers::datagram datagram;
};

struct gateway_output {
  std::vector<driver_datagram> datagrams;
  std::vector<link_action> link;            // in order
  void clear() {
    datagrams.clear();
    link.clear();
  }
  bool empty() const { return datagrams.empty() && link.empty(); }
};

// ---- what it tells about itself (metrics, health, log lines); counters since construction unless said otherwise

enum class uplink_state : std::uint8_t { off, idle, connecting, hello_sent, live };
std::string_view name_of(uplink_state state);

struct gateway_statistics {
  // home side
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t readings = 0;               // from drivers
  std::uint64_t readings_watched = 0;       // of those, belonging to a watched appliance
  std::uint64_t readings_missed = 0;
  std::uint64_t journal_dropped = 0;        // readings given up while no time was known
  // slots
  std::uint64_t slots_closed = 0;           // SlotClosed records made
  std::uint64_t slots_in_gaps = 0;          // slots told by SlotGap records
  std::uint64_t meters_rebased = 0;
  std::optional<slot_index> open_slot;
  // clock
  bool clock_known = false;
  bool clock_synced = false;
  std::uint64_t clock_steps = 0;            // of 2 s or more
  // outbox
  std::uint64_t records_made = 0;
  std::uint64_t records_dropped = 0;        // given up because the outbox was full
  std::uint64_t records_held = 0;           // now: durable, not acknowledged
  std::uint64_t record_bytes_held = 0;      // now
  std::uint64_t records_pending = 0;        // now: not durable yet (storage failing)
  std::uint64_t commits = 0;
  std::uint64_t commit_failures = 0;
  bool storage_ok = true;                   // now
  // uplink
  uplink_state uplink = uplink_state::off;
  std::uint64_t connects = 0;               // attempts
  std::uint64_t sessions = 0;               // that reached live
  std::uint64_t sessions_lost = 0;          // live ones that ended without our bye
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t records_sent = 0;           // with repeats
  std::uint64_t malformed = 0;              // frames or sequences from the relay that broke the protocol
  record_seq acked_seq = 0;
  record_seq next_seq = 1;
  std::uint32_t config_version = 0;         // in force; 0 = none
};

// ---- the core

class gateway {
public:
  // `drivers` and `store` outlive the gateway.
  gateway(const gateway_setup& setup, outbox_store& store, std::span<drivers::driver* const> drivers, log_sink& log);
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  // First call, once. Loads the store. A store that cannot even be loaded is tried again; until then records wait in
  // memory and the uplink stays idle.
  void on_start(mono_time now, const system_clock_reading& clock, gateway_output& out);
  // At least every 60 s, and at once when the kernel tells of a step (timerfd_settime(2), TFD_TIMER_CANCEL_ON_SET).
  void on_system_clock(mono_time now, const system_clock_reading& clock, gateway_output& out);
  // The relay's word by another way than the device channel: the emergency lane is often up first.
  void on_relay_time(mono_time now, const relay_time& time, gateway_output& out);

  void on_datagram(mono_time now, std::size_t driver, const endpoint& from, byte_view payload, gateway_output& out);

  void on_link_open(mono_time now, link_number link, gateway_output& out);  // TLS is up, the peer is the relay
  void on_link_bytes(mono_time now, link_number link, byte_view data, gateway_output& out);
  void on_link_closed(mono_time now, link_number link, const error& why, gateway_output& out);  // also: could not connect

  // The shell dials with another certificate or to other addresses from now on.
  void on_relay_changed(mono_time now, bool addresses, gateway_output& out);

  void on_wake(mono_time now, gateway_output& out);
  // Last call: checkpoint, bye, close. The held slot goes on after the next start.
  void on_stop(mono_time now, gateway_output& out);

  mono_time next_wake() const;
  wall_at wall(mono_time now) const;             // as good as it is known; 0: not at all
  const gateway_statistics& statistics() const;  // a snapshot as of the last call
  const wire::config& config() const;            // in force; version 0 and no appliance if there is none

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace tomoshibi::firmware
