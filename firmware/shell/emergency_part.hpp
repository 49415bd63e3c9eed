// Everything of a press in the gateway's shell: the core (firmware/core/alarm) with its file, its connection, its panels and its own
// way to the guard centre. Nothing here decides about the domain.
//
// A press waits for nobody: the gateway tells of a button within its turn, before it commits anything (button_listener), and this
// part writes, sends and shows at once, on the same call. What a press can wait for is the turn that is running when its
// datagram comes, and so can an answer of the relay: at most one commit of the outbox. That wait is before the first time that is
// taken, so a report does not show it.
#pragma once

#include "firmware/core/alarm.hpp"
#include "firmware/core/gateway.hpp"
#include "firmware/shell/box_button.hpp"
#include "firmware/shell/config_file.hpp"
#include "firmware/shell/direct_path.hpp"
#include "firmware/shell/power_watch.hpp"
#include "firmware/shell/relay_link.hpp"
#include "firmware/shell/sqlite_emergency_store.hpp"
#include "protocol/adapters/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

struct emergency_part_setup {
  event_loop& loop;                        // these outlive the part
  log_sink& log;
  const gateway_config& config;            // of the start
  gateway_id id;
  std::uint64_t boot = 0;
  std::string firmware_version;
  std::uint64_t seed = 0;
  std::function<wall_at(mono_time)> wall;  // as good as it is known; 0: not at all
  std::function<void(const relay_time&)> relay_told;   // what the relay said of the time on the lane
};

class emergency_part final : public loop_part,
                             public button_listener,
                             public relay_link::listener,
                             public direct_path::listener,
                             public box_button::listener,
                             public power_watch::listener {
public:
  explicit emergency_part(emergency_part_setup setup);
  ~emergency_part() override;

  // Of the direct path: config_invalid, when one of its files cannot be read. `context`: nothing without a relay.
  status open(tls_context_ptr context, tls_date_source date);
  void start();                            // what was open goes on at once
  void stop();                             // goodbye; presses stay in the store
  bool idle() const { return !link_ || link_->idle(); }
  // Addresses, certificate, times; all else is of the start.
  void use(const gateway_config& fresh, tls_context_ptr context, bool files);

  std::string status_line() const;
  void tell_statistics() const;

  mono_time next_wake() const override;
  void on_wake(mono_time now) override;

private:
  void on_button_reading(mono_time now, wall_at wall, const drivers::reading& reading) override;
  void on_button_presence(mono_time now, wall_at wall, const drivers::device_presence& presence) override;
  void on_link_open(link_number link) override;
  void on_link_bytes(link_number link, byte_view data) override;
  void on_link_closed(link_number link, const error& why) override;
  void on_direct_accepted(press_id id) override;
  void on_direct_link(bool down) override;
  void on_box_button(bool pressed, bool announced) override;
  void on_box_button_gone(bool gone) override;
  void on_power(const power_state& now) override;
  void on_trouble(trouble_kind kind, bool on, std::string_view button = {});

  // One event of the core, and what it asks for.
  template <class Event>
  void turn(Event event) {
    alarm_output out;
    event(out);
    core_.on_stored(loop_->exact());
    act(out);
  }
  void act(const alarm_output& out);
  wall_at wall() const { return wall_(loop_->now()); }

  event_loop* loop_;
  log_sink* sink_;
  logger log_;
  std::function<wall_at(mono_time)> wall_;
  std::function<void(const relay_time&)> relay_told_;
  direct_config direct_config_;
  box_config box_config_;
  std::vector<host_port> relays_;
  sqlite_emergency_store store_;
  alarm core_;
  std::vector<std::unique_ptr<panel>> panels_;
  std::unique_ptr<relay_link> link_;
  std::unique_ptr<direct_path> direct_;
  std::unique_ptr<box_button> box_button_;
  std::unique_ptr<power_watch> power_watch_;
  bool stopped_ = false;
};

}  // namespace tomoshibi::firmware
