// The gateway's shell: brings the core together with sockets, the clock and the outbox file, and carries out its output.
// Nothing here decides about the domain.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/gateway.hpp"
#include "firmware/shell/clock_watch.hpp"
#include "firmware/shell/config_file.hpp"
#include "firmware/shell/emergency_part.hpp"
#include "firmware/shell/relay_link.hpp"
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "firmware/shell/udp_port.hpp"
#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/watchdog.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace tomoshibi::firmware {

// Who this gateway is, from its certificate; what it dials with. Without relays both are made up.
struct gateway_identity {
  gateway_id id;
  std::optional<tls_identity> tls;
};
result<gateway_identity> load_identity(const gateway_config& config);

struct daemon_setup {
  event_loop& loop;                               // these outlive the daemon
  log_sink& log;
  service_manager& manager;
  gateway_config config;
  gateway_identity identity;
  std::function<result<gateway_config>()> read_config;  // again, for reload()
  std::function<void(log_level)> set_log_level;
};

class daemon final : public loop_part, public relay_link::listener {
public:
  static result<std::unique_ptr<daemon>> make(daemon_setup setup);
  ~daemon() override;

  void start();
  // Relay addresses, certificates and the log's level, read again. If anything is bad, all of the former stays in force.
  void reload();
  // Says goodbye, commits, and stops the loop once that is done (or after 3 s).
  void stop();
  bool failed() const { return failed_; }     // the loop was stopped because the program must start anew

  mono_time next_wake() const override;
  void on_wake(mono_time now) override;
  void on_turn_end(mono_time now) override;

private:
  explicit daemon(daemon_setup setup);
  status open_ports();
  status open_link();
  result<tls_context_ptr> make_context(const gateway_identity& identity) const;
  tls_date_source date_source() const;
  bool idle() const { return link_->idle() && (!emergency_ || emergency_->idle()); }
  status take_new_configuration();
  std::string status_line() const;
  void on_link_open(link_number link) override;
  void on_link_bytes(link_number link, byte_view data) override;
  void on_link_closed(link_number link, const error& why) override;
  void on_datagram(std::size_t driver, const endpoint& from, byte_view payload);
  void read_clock();
  void tell_statistics();
  void act();                                 // carries out and clears out_
  system_clock_reading clock() const;

  daemon_setup setup_;
  event_loop* loop_;
  log_sink* sink_;
  logger log_;
  sqlite_outbox_store store_;
  std::vector<std::unique_ptr<drivers::driver>> drivers_;
  std::vector<drivers::driver*> driver_list_;
  std::vector<std::unique_ptr<udp_port>> ports_;   // one for each driver
  std::unique_ptr<emergency_part> emergency_;      // nothing: switched off
  std::unique_ptr<gateway> core_;
  std::unique_ptr<relay_link> link_;
  std::unique_ptr<clock_watch> clock_watch_;
  loop_timer clock_timer_;
  loop_timer statistics_timer_;
  loop_timer stop_timer_;
  std::optional<watchdog> watchdog_;
  gateway_output out_;
  bool stopping_ = false;
  bool failed_ = false;
  std::size_t mended_told_ = 0;
};

}  // namespace tomoshibi::firmware
