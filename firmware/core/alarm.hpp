// The way of a press in the gateway without a socket, a clock or a file: buttons -> presses -> lane and direct path -> panel,
// composed (ADR 12). It shares nothing with the gateway's slots but the driver that hears the buttons.
//
// The shell (or the simulator) calls one on_<event> per happening with the monotonic time, exact where a delay is told. After each
// call it carries out `alarm_output`: first on_stored (the store has been written by then), then `link` in order, then `panel`,
// then on_shown with the time after that, whose output it carries out as well; and arms one timer for next_wake().
// Storage is the synchronous port given at construction. Single-threaded; no re-entry.
#pragma once

#include "firmware/core/buttons.hpp"
#include "firmware/core/emergency.hpp"
#include "firmware/core/lane.hpp"

namespace tomoshibi::firmware {

struct alarm_setup {
  lane_setup lane;
  emergency_settings presses;
  millis button_period{900'000};
  std::uint64_t seed = 0;               // from the machine's entropy: ids of presses come from it
};

struct alarm_output {
  std::vector<link_action> link;        // in order
  std::optional<panel_view> panel;
  std::vector<press> to_direct;         // start the direct path for each
  std::vector<press_id> stop_direct;
  std::optional<relay_time> time;       // the relay's word, for whoever keeps the calendar
  void clear() { *this = {}; }
};

class alarm {
public:
  alarm(const alarm_setup& setup, emergency_store& store, log_sink& log);

  void on_start(mono_time now, alarm_output& out);
  void use(const emergency_settings& settings) { presses_.use(settings); }

  // Of an object that is_emergency_button(). `wall` 0: no time is known.
  void on_reading(mono_exact at, wall_at wall, const drivers::reading& reading, alarm_output& out);
  void on_presence(mono_exact at, wall_at wall, const drivers::device_presence& presence, alarm_output& out);
  // A button of the box, by its own name.
  void on_box_button(mono_exact at, wall_at wall, std::string_view name, bool pressed, button_heard how, alarm_output& out);
  // Of the box: mains, battery, direct path; or a button of its own that is not there any more.
  void on_trouble(mono_time now, trouble_kind kind, std::string_view button, bool on, alarm_output& out);

  void on_link_open(mono_time now, link_number link, alarm_output& out);
  void on_link_bytes(mono_exact at, wall_at wall, link_number link, byte_view data, alarm_output& out);
  void on_link_closed(mono_time now, link_number link, const error& why, alarm_output& out);
  void on_relay_changed(mono_time now, bool addresses, alarm_output& out);
  void on_direct_accepted(mono_exact at, press_id id, alarm_output& out);

  void on_stored(mono_exact at) { presses_.on_stored(at); }
  void on_shown(mono_exact at, alarm_output& out);

  void on_wake(mono_time now, wall_at wall, alarm_output& out);
  mono_time next_wake() const;
  void on_stop(mono_time now, alarm_output& out);   // last call: says goodbye. Presses stay in the store

  const emergency& presses() const { return presses_; }
  const buttons& known() const { return buttons_; }
  lane_state lane() const { return lane_.state(); }
  const firmware::lane::counters& lane_counts() const { return lane_.counts(); }

private:
  void take(mono_exact at, wall_at wall, buttons_output& heard, alarm_output& out);
  void take(mono_exact at, wall_at wall, const lane_news& news, alarm_output& out);
  void finish(mono_time now, alarm_output& out);
  void save_buttons(mono_time now);

  buttons buttons_;
  emergency presses_;
  firmware::lane lane_;
  buttons_output heard_;      // scratch
  emergency_output said_;     // scratch: of this turn
  bool stopped_ = false;
};

}  // namespace tomoshibi::firmware
