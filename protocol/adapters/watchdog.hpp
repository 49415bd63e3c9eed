// Feeds the service manager's watchdog as long as the daemon does its work: from the loop itself, never from a thread of
// its own, so a loop that hangs is silent; and only if the daemon says that what it waits for goes on, too.
//
// A ping is due twice in the manager's interval. Work that is out on another thread counts as stuck when it takes longer
// than that half: one commit of a tired disk costs no restart, one that never ends does after one interval and a half at most.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/service_manager.hpp"

#include <functional>
#include <optional>
#include <string>

namespace tomoshibi {

struct signs_of_life {
  std::optional<mono_time> waiting_since;  // for the oldest work on another thread; nothing: none is out
  std::string status;                      // one line for people
};

class watchdog {
public:
  using look = std::move_only_function<signs_of_life()>;

  // Does nothing where nobody watches, and under a conductor, whose time is not the manager's. All outlive it.
  watchdog(event_loop& loop, service_manager& manager, look at_daemon);

private:
  void on_time();

  event_loop& loop_;
  service_manager& manager_;
  look look_;
  millis every_;
  loop_timer timer_;
};

}  // namespace tomoshibi
