// The button on the box, kept open: what it says as it comes; a device that goes is told as gone and opened again until it is
// back. A button that is pressed when its device is opened was pressed before: it is found, not announced (core/button.hpp).
#pragma once

#include "firmware/shell/button_source.hpp"
#include "protocol/adapters/event_loop.hpp"

#include <functional>

namespace tomoshibi::firmware {

inline constexpr millis button_reopen_every = 5s;

class box_button {
public:
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_box_button(bool pressed, bool announced) = 0;   // announced: it has just changed
    virtual void on_box_button_gone(bool gone) = 0;                 // only when it changes; present is where it begins
  };
  using opener = std::function<result<std::unique_ptr<button_source>>()>;

  // Begins in the next turn of the loop, not inside.
  box_button(event_loop& loop, opener open, log_sink& log, listener& events,
             millis reopen_every = button_reopen_every);

private:
  void open();
  void read();
  void lose(const error& why);

  event_loop& loop_;
  opener open_;
  logger log_;
  listener* events_;
  millis reopen_every_;
  std::unique_ptr<button_source> source_;
  std::unique_ptr<fd_watch> watch_;     // goes before what it watches
  loop_timer timer_;
  bool gone_ = false;
};

}  // namespace tomoshibi::firmware
