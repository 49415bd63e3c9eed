#include "firmware/shell/box_button.hpp"

#include <utility>

namespace tomoshibi::firmware {

box_button::box_button(event_loop& loop, opener open, log_sink& log, listener& events, millis reopen_every)
    : loop_(loop), open_(std::move(open)), log_(log, "button"), events_(&events), reopen_every_(reopen_every), timer_(loop) {
  timer_.set_after(0ms, [this] { this->open(); });
}

void box_button::open() {
  auto opened = open_();
  if (!opened) return lose(opened.error());
  source_ = std::move(*opened);
  log_.info("opened");
  if (std::exchange(gone_, false)) events_->on_box_button_gone(false);
  if (const auto pressed = source_->state()) events_->on_box_button(*pressed, false);
  watch_ = std::make_unique<fd_watch>(loop_, source_->descriptor(), [this] { read(); });
}

void box_button::read() {
  const auto changes = source_->read();
  if (!changes) return lose(changes.error());
  for (const bool pressed : *changes) events_->on_box_button(pressed, true);
}

void box_button::lose(const error& why) {
  watch_.reset();
  source_.reset();
  timer_.set_after(reopen_every_, [this] { open(); });
  if (std::exchange(gone_, true)) return;
  log_.error("gone", {{"err", why.detail}});
  events_->on_box_button_gone(true);
}

}  // namespace tomoshibi::firmware
