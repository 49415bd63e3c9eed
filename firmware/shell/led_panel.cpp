#include "firmware/shell/led_panel.hpp"

#include "firmware/shell/small_file.hpp"

namespace tomoshibi::firmware {
namespace {

constexpr std::string_view brightest = "255";  // the kernel takes its own maximum for more than that

std::string path_of(const led_panel_options& o, const std::string& name) { return name.empty() ? "" : o.folder + "/" + name; }

bool set_steady(const std::string& path, bool on) {
  // Without triggers in the kernel there is no such file, and nothing that blinks.
  (void)write_existing(path + "/trigger", "none");
  return write_existing(path + "/brightness", on ? brightest : "0");
}

bool set_blinking(const std::string& path, const pulse& how) {
  return write_existing(path + "/trigger", "timer") && write_existing(path + "/delay_on", std::to_string(how.on_ms)) &&
         write_existing(path + "/delay_off", std::to_string(how.off_ms));
}

}  // namespace

led_panel::led_panel(log_sink& log, const led_panel_options& o)
    : log_(log, "panel"), call_{path_of(o, o.call), false}, answer_{path_of(o, o.answer), false},
      fault_{path_of(o, o.fault), false}, buzzer_{path_of(o, o.buzzer), false} {}

void led_panel::set(lamp& which, const pulse& how) {
  if (which.path.empty()) return;
  const bool blinks = how.on_ms != 0 && how.off_ms != 0;
  const bool done = blinks ? set_blinking(which.path, how) : set_steady(which.path, how.on_ms != 0);
  if (!done && !which.told) log_.error("lamp", {{"file", which.path}, {"blinks", blinks ? 1 : 0}});
  which.told = !done;
  if (!done && blinks) (void)set_steady(which.path, true);
}

void led_panel::show(const panel_view& what) {
  const panel_signal signal = signal_of(what);
  set(call_, signal.call);
  set(answer_, signal.answer);
  set(fault_, signal.fault);
  set(buzzer_, signal.buzzer);
}

}  // namespace tomoshibi::firmware
