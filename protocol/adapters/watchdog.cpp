#include "protocol/adapters/watchdog.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi {

watchdog::watchdog(event_loop& loop, service_manager& manager, look at_daemon)
    : loop_(loop), manager_(manager), look_(std::move(at_daemon)), every_(manager.watchdog() / 2), timer_(loop) {
  if (manager.watchdog() == millis{0} || loop.replayed()) return;
  every_ = std::max(every_, millis{1});
  timer_.set_after(every_, [this] { on_time(); });
}

void watchdog::on_time() {
  timer_.set_after(every_, [this] { on_time(); });
  const auto life = look_();
  const bool stuck = life.waiting_since && loop_.now() - *life.waiting_since > every_;
  if (!stuck) manager_.alive(life.status);
}

}  // namespace tomoshibi
