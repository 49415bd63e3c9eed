#include "firmware/core/button.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

button::button(mono_time now, millis period, std::optional<bool> last_known)
    : period_(period),
      state_(!last_known ? state::unknown : *last_known ? state::pressed : state::released),
      pressed_since_(now),
      heard_at_(now) {}

void button::on_state(mono_time now, bool pressed, button_heard how, std::vector<button_news>& out) {
  on_alive(now, out);
  if (!pressed) {
    release(out);
  } else if (how == button_heard::announced) {
    announce_pressed(now, out);
  } else {
    find_pressed(now, out);
  }
}

void button::on_alive(mono_time now, std::vector<button_news>& out) {
  heard_at_ = now;
  if (!silent_) return;
  silent_ = false;
  out.push_back(button_news::silent_over);
}

void button::press(mono_time now, millis after_last, std::vector<button_news>& out) {
  if (last_press_ && now - *last_press_ < after_last) return;
  last_press_ = now;
  out.push_back(button_news::press);
}

void button::become_pressed(mono_time now, std::vector<button_news>& out) {
  state_ = state::pressed;
  pressed_since_ = now;
  press(now, bounce_max, out);
}

void button::announce_pressed(mono_time now, std::vector<button_news>& out) {
  switch (state_) {
    case state::unknown:
    case state::released: return become_pressed(now, out);
    case state::pressed: return press(now, again_after, out);
    case state::stuck: return press(now, stuck_after, out);
  }
}

void button::find_pressed(mono_time now, std::vector<button_news>& out) {
  if (state_ == state::released) return become_pressed(now, out);
  if (state_ != state::unknown) return;
  state_ = state::stuck;
  out.push_back(button_news::stuck);
}

void button::release(std::vector<button_news>& out) {
  if (state_ == state::stuck) out.push_back(button_news::stuck_over);
  state_ = state::released;
}

void button::on_wake(mono_time now, std::vector<button_news>& out) {
  if (state_ == state::pressed && now - pressed_since_ >= stuck_after) {
    state_ = state::stuck;
    out.push_back(button_news::stuck);
  }
  if (!silent_ && period_ > millis{0} && now - heard_at_ >= period_) {
    silent_ = true;
    out.push_back(button_news::silent);
  }
}

mono_time button::next_wake() const {
  mono_time at = never;
  if (state_ == state::pressed) at = pressed_since_ + stuck_after;
  if (!silent_ && period_ > millis{0}) at = std::min(at, heard_at_ + period_);
  return at;
}

std::optional<bool> button::last_known() const {
  if (state_ == state::unknown) return std::nullopt;
  return state_ != state::released;
}

}  // namespace tomoshibi::firmware
