// Tells when the machine's calendar clock was stepped (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). Real time only.
#pragma once

#include "protocol/adapters/event_loop.hpp"

#include <functional>
#include <memory>

namespace tomoshibi::firmware {

class clock_watch {
public:
  // A kernel that cannot do this is no error: steps are then seen at the next regular look at the clock.
  clock_watch(event_loop& loop, std::function<void()> on_step);
  ~clock_watch();
  clock_watch(const clock_watch&) = delete;
  clock_watch& operator=(const clock_watch&) = delete;

private:
  void arm();
  void read();
  int fd_ = -1;
  std::function<void()> on_step_;
  std::unique_ptr<fd_watch> watch_;
};

}  // namespace tomoshibi::firmware
