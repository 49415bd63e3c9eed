// Lamps and buzzer that Linux knows as LEDs: <folder>/<name>/{trigger,brightness,delay_on,delay_off} (kernel
// documentation, leds-class and ledtrig-timer). Blinking is the kernel's, so it goes on whatever this program does.
// A lamp that is missing is told once, and is tried again at each change; the others go on. A kernel without the timer
// trigger gets a steady lamp in place of a blinking one, which is told once as well.
#pragma once

#include "firmware/ports/panel.hpp"
#include "firmware/ports/panel_words.hpp"
#include "protocol/base/log.hpp"

#include <string>

namespace tomoshibi::firmware {

struct led_panel_options {
  std::string folder = "/sys/class/leds";
  std::string call, answer, fault, buzzer;  // names below the folder; empty: the box has none
};

class led_panel final : public panel {
public:
  led_panel(log_sink& log, const led_panel_options& options);
  void show(const panel_view& what) override;

private:
  struct lamp {
    std::string path;
    bool told = false;
  };
  void set(lamp& which, const pulse& how);
  logger log_;
  lamp call_, answer_, fault_, buzzer_;
};

}  // namespace tomoshibi::firmware
