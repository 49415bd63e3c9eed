#include "firmware/shell/clock_watch.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {
constexpr time_t far_away_s = 7 * 24 * 3600;  // armed anew whenever it expires
}

clock_watch::clock_watch(event_loop& loop, std::function<void()> on_step) : on_step_(std::move(on_step)) {
  fd_ = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd_ < 0) return;
  arm();
  watch_ = std::make_unique<fd_watch>(loop, fd_, [this] { read(); });
}

clock_watch::~clock_watch() {
  watch_.reset();
  if (fd_ >= 0) ::close(fd_);
}

void clock_watch::arm() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  itimerspec at{};
  at.it_value.tv_sec = now.tv_sec + far_away_s;
  ::timerfd_settime(fd_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr);
}

void clock_watch::read() {
  std::uint64_t expirations = 0;
  const ssize_t n = ::read(fd_, &expirations, sizeof expirations);
  const bool stepped = n < 0 && errno == ECANCELED;
  if (n < 0 && !stepped) return;
  arm();
  if (stepped) on_step_();
}

}  // namespace tomoshibi::firmware
