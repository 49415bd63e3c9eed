// The relay's core with its sockets, workers and pages around it: carries events in and actions out, decides nothing.
//
// start() -> runs on the loop -> stop(): no new connections, what is known is committed and acknowledged, byes to gateways,
// mails that are out may end; then the loop is stopped. After stop_patience it ends anyway: whatever was not committed was
// not acknowledged and comes again. A second stop() changes nothing: supervisors signal a process and its group.
//
// reload(): the configuration and everything it names is read and tried first; if any of it is bad, all of the former stays.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/watchdog.hpp"
#include "relay/core/relay.hpp"
#include "relay/ports/store.hpp"
#include "relay/shell/commit_worker.hpp"
#include "relay/shell/config_file.hpp"
#include "relay/shell/control_socket.hpp"
#include "relay/shell/device_channel.hpp"
#include "relay/shell/dispatch_api.hpp"
#include "relay/shell/emergency_service.hpp"
#include "relay/shell/http_server.hpp"
#include "relay/shell/relay_view.hpp"
#include "relay/shell/smtp_worker.hpp"
#include "relay/shell/ticket_key_file.hpp"

#include <memory>
#include <optional>
#include <string>

namespace tomoshibi::relay {

inline constexpr millis stop_patience{30'000};

struct relay_daemon_setup {
  event_loop& loop;                // these outlive the daemon
  store& memory;
  emergency_book* presses = nullptr;  // nothing: the emergency part is switched off. Its thread's alone from start() on
  log_sink& log;
  service_manager& manager;
  relay_config config;
  std::function<result<relay_config>()> read_config;  // again, for reload()
  std::function<void(log_level)> set_log_level;
  data_folder folder;
  std::string version;
  std::uint64_t seed = 0;
};

class relay_daemon final : public loop_part, private device_channel_receiver {
public:
  explicit relay_daemon(relay_daemon_setup setup);
  ~relay_daemon() override;        // the loop must not run any more
  relay_daemon(const relay_daemon&) = delete;
  relay_daemon& operator=(const relay_daemon&) = delete;

  status start();                  // errors: certificates, ports, folder in use, store, mail password
  void reload();                   // never fails: what is bad is told, and the former stays in force
  void stop();
  // A thread that does not end cannot be waited for.
  bool stuck() const { return gave_up_ && (commit_began_ || (emergency_ && !emergency_->stopped())); }

  // loop_part
  mono_time next_wake() const override;
  void on_wake(mono_time now) override;
  void on_turn_end(mono_time now) override;

private:
  // device_channel_receiver
  void on_session_open(session_id id, const peer& who) override;
  void on_session_bytes(session_id id, byte_view data) override;
  void on_session_closed(session_id id) override;

  struct device_keys {
    tls_context_ptr context;
    std::optional<wall_at> from;
    std::optional<wall_at> until;  // nothing under a replay: dates are not judged there
  };
  result<device_keys> read_device_keys(const device_config& c) const;
  status open_device_port();
  void keep_ticket_keys();
  status open_pages();

  // relay_emergency.cpp
  status open_emergency();
  status reload_emergency_world();
  result<emergency_keys> emergency_keys_of(const relay_config& c) const;
  result<std::optional<guard_link_settings>> guard_of(const relay_config& c) const;
  static emergency_mail mail_of(const relay_config& c, std::optional<smtp_options> server);
  void tell_alerts(const write_batch& committed);

  static result<std::optional<smtp_options>> read_mail(const mail_config& c);
  void open_mail(std::optional<smtp_options> options);
  status reload_directory();
  status reload_configuration();
  signs_of_life life();
  std::string status_line() const;
  void control_answer(std::string_view line, const control_socket::reply& answer);
  std::string reload_answer();
  http_answer page(std::string_view path) const;
  result<std::string> read_token(const pages_config& c) const;  // empty: there is no API
  void api(const http_request& request, const http_server::reply& reply);
  relay_view view() const;

  void carry_out(output& actions);
  void carry_out(send& a);
  void carry_out(close& a);
  void carry_out(commit& a);
  void carry_out(submit_mail& a);
  void mail_done_soon(const mail_key& key, mail_result done);
  void on_mail_done(const mail_key& key, const mail_result& done);
  void on_commit_done(commit_ticket ticket, const commit_report& report);

  mono_time now() const { return setup_.loop.now(); }
  wall_at wall() const { return setup_.loop.wall().at; }

  relay_daemon_setup setup_;
  logger log_;
  relay_core core_;
  device_channel channel_;
  commit_times commit_times_;
  wall_at started_{};
  bool running_ = false;
  bool stopping_ = false;
  ticket_key_file ticket_keys_;
  loop_timer ticket_turn_;
  bool gave_up_ = false;
  std::optional<wall_at> certificate_from_;
  std::optional<wall_at> certificate_until_;
  std::optional<mono_time> commit_began_;      // the one that is out
  std::shared_ptr<const write_batch> committing_;
  loop_timer patience_;
  std::optional<watchdog> watchdog_;
  std::unique_ptr<control_socket> control_;
  std::unique_ptr<http_server> pages_;
  std::string api_token_;
  std::unique_ptr<smtp_worker> mail_;          // workers last: they end before what they call
  commit_worker commits_;
  std::unique_ptr<emergency_service> emergency_;
};

}  // namespace tomoshibi::relay
