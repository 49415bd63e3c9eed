#include "drivers/echonet/poller.hpp"

#include <algorithm>
#include <limits>

namespace tomoshibi::drivers::echonet {

void poller::begin(mono_time now, millis interval, millis phase) {
  const millis wanted = std::max(interval, poll_interval_min);
  if (running() && interval_ == wanted) return;
  if (!running()) heard_at_ = std::max(heard_at_, now);
  interval_ = wanted;
  // The next cycle begins at now + phase; phase 0 is a whole cycle.
  cycle_at_ = now - (interval_ - phase % interval_) % interval_;
  second_round_ = false;
  missed_ = 0;
  due_ = now;
}

void poller::next_cycle(mono_time now) {
  second_round_ = false;
  // A poll out of turn leaves the cycle where it is; cycles that nobody had time for are left out.
  if (cycle_at_ <= now) cycle_at_ += ((now - cycle_at_) / interval_ + 1) * interval_;
  due_ = cycle_at_;
}

void poller::on_reading(mono_time now) {
  heard_at_ = now;
  missed_ = 0;
  if (running()) next_cycle(now);
}

bool poller::on_silence(mono_time now, bool is_final) {
  if (!running()) return false;
  const mono_time again = now + interval_ / 4;
  if (!is_final && !second_round_ && interval_ >= second_round_interval_min && again < cycle_at_ + interval_) {
    second_round_ = true;
    due_ = again;
    return false;
  }
  if (missed_ < std::numeric_limits<std::uint8_t>::max()) ++missed_;
  next_cycle(now);
  return true;
}

bool poller::turned_silent(mono_time now) {
  if (silent_ || missed_ < missed_cycles_to_silent || now - heard_at_ < unheard_to_silent) return false;
  silent_ = true;
  return true;
}

bool poller::turned_back() {
  if (!silent_) return false;
  silent_ = false;
  missed_ = 0;
  return true;
}

}  // namespace tomoshibi::drivers::echonet
