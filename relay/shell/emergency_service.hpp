// The relay's emergency part: lanes, presses and the line to the guard centre, on an event loop and a thread of its own, so that
// no slot, report or page stands before a press (ADR 12). In a replay it runs on the main loop, and there is no thread.
//
// The main thread and this one share nothing: what main tells is posted to the loop here, what main shows is a copy. Whatever a
// TLS context reads later (the ring of ticket keys) is a copy of this side's own. Every public call is main's.
//
// start() -> runs -> stop(): byes to the lanes, then stopped(). What waits for the guard centre is in emergency.db and goes on
// with the next start.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/guard_link.hpp"
#include "protocol/adapters/ticket_keys.hpp"
#include "relay/core/emergency/emergency_desk.hpp"
#include "relay/ports/emergency_requests.hpp"
#include "relay/shell/device_channel.hpp"
#include "relay/shell/relay_view.hpp"
#include "relay/shell/smtp_worker.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>

namespace tomoshibi::relay {

struct emergency_mail {
  std::optional<smtp_options> server;        // nothing: mails wait
  std::string from;
  std::string from_name;
};

struct emergency_keys {                      // of the lane's port; read anew with a reload
  tls_identity identity;
  ticket_keys tickets;
};

struct emergency_service_setup {
  event_loop& main;                          // these outlive the service
  log_sink& log;
  emergency_book& book;                      // from start() on this thread's alone
  endpoint listen;
  std::size_t lanes_max = 25'000;
  std::shared_ptr<const known_world> world;
  emergency_keys keys;
  std::optional<guard_link_settings> guard;  // nothing: there is no guard centre
  emergency_mail mail;
  std::uint64_t seed = 0;
};

struct emergency_view {
  emergency_health desk;
  device_channel_counts lanes;
  receipt_times receipts;                    // the relay's part of the way of a press
};

class emergency_service final : public emergency_requests {
public:
  explicit emergency_service(emergency_service_setup setup);
  ~emergency_service() override;             // waits for the thread
  emergency_service(const emergency_service&) = delete;
  emergency_service& operator=(const emergency_service&) = delete;

  status start();                            // errors: port, certificates, book
  endpoint local() const;                    // of the lanes' port
  void stop();                               // begins the end; stopped() says when it is there
  bool stopped() const;

  void use_world(std::shared_ptr<const known_world> world);
  status use_keys(emergency_keys keys);      // an error changes nothing
  void use_tickets(ticket_keys tickets);
  void use_guard(std::optional<guard_link_settings> settings);  // a new link; what waits goes to it
  void use_mail(emergency_mail mail);
  void limit_lanes(std::size_t most);

  void tell_alert(const alert_key& key, bool open);
  void tell_alerts(std::set<alert_key> open);

  // Answered in a later step of the main loop.
  void ask(emergency_request what, emergency_answer answer) override;

  emergency_view view() const;               // at most a second old
  // Asks the thread for a sign of life, and says since when one that was asked for has not come.
  std::optional<mono_time> silent_since();

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
