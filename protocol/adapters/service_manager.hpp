// Tells a service manager (systemd) how a daemon is: the protocol of sd_notify(3), a datagram of KEY=value lines to the
// Unix socket in NOTIFY_SOCKET. Started without one, a daemon talks to nobody and nothing here costs anything.
//
//   not told -> ready -> (reloading -> ready)* -> stopping
#pragma once

#include "protocol/base/time.hpp"

#include <string>
#include <string_view>

namespace tomoshibi {

struct service_manager_settings {
  std::string socket;             // path, or @name for an abstract socket; empty: nobody to tell
  millis watchdog{0};             // longest silence that counts as life; 0: nobody watches
};

// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, taken out of the environment so that no child believes them to be its own.
// Values that make no sense count as absent. Call before threads start.
service_manager_settings service_manager_from_environment();

class service_manager {
public:
  explicit service_manager(const service_manager_settings& settings);
  ~service_manager();
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;

  // `status` is one line for people (systemctl status). A manager that does not take it within 1 s is not told.
  void ready(std::string_view status);
  void reloading(mono_time now);
  void stopping();
  void alive(std::string_view status);  // feeds the watchdog
  millis watchdog() const { return watchdog_; }

private:
  void tell(const std::string& lines);
  std::string address_;           // as in sun_path: a leading zero for an abstract socket
  millis watchdog_;
  int fd_ = -1;
};

}  // namespace tomoshibi
