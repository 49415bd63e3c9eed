// The gateway's shell: brings the core together with sockets, the clock and the outbox file, and carries out its output.
// Nothing here decides about the domain.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/gateway.hpp"
#include "firmware/shell/clock_watch.hpp"
#include "firmware/shell/config_file.hpp"
#include "firmware/shell/relay_link.hpp"
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "firmware/shell/udp_port.hpp"
#include "protocol/adapters/event_loop.hpp"

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

class daemon final : public loop_part, public relay_link::listener {
public:
  static result<std::unique_ptr<daemon>> make(event_loop& loop, const gateway_config& config,
                                              const gateway_identity& identity, log_sink& log);
  ~daemon() override;

  void start();
  // Says goodbye, commits, and stops the loop once that is done (or after 3 s).
  void stop();
  bool failed() const { return failed_; }     // the loop was stopped because the program must start anew

  mono_time next_wake() const override;
  void on_wake(mono_time now) override;
  void on_turn_end(mono_time now) override;

private:
  daemon(event_loop& loop, const gateway_config& config, const gateway_identity& identity, log_sink& log);
  status open_ports(const gateway_config& config);
  status open_link(const gateway_config& config, const gateway_identity& identity);
  void on_link_open(link_number link) override;
  void on_link_bytes(link_number link, byte_view data) override;
  void on_link_closed(link_number link, const error& why) override;
  void on_datagram(std::size_t driver, const endpoint& from, byte_view payload);
  void read_clock();
  void tell_statistics();
  void act();                                 // carries out and clears out_
  system_clock_reading clock() const;

  event_loop* loop_;
  log_sink* sink_;
  logger log_;
  sqlite_outbox_store store_;
  std::vector<std::unique_ptr<drivers::driver>> drivers_;
  std::vector<drivers::driver*> driver_list_;
  std::vector<std::unique_ptr<udp_port>> ports_;   // one for each driver
  std::unique_ptr<gateway> core_;
  std::unique_ptr<relay_link> link_;
  std::unique_ptr<clock_watch> clock_watch_;
  loop_timer clock_timer_;
  loop_timer statistics_timer_;
  loop_timer stop_timer_;
  gateway_output out_;
  bool stopping_ = false;
  bool failed_ = false;
  std::size_t mended_told_ = 0;
};

}  // namespace tomoshibi::firmware
