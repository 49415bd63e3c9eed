// Boxes with a button, one relay, one guard centre and the lines between them, moved by one heap from one seed. Two phases as in
// the world of slots: faults for --hours, then everything is on and mended, and after press_quiet nothing may be open.
#pragma once

#include "tools/sim.d/press/press_box.hpp"
#include "tools/sim.d/press/press_relay.hpp"

#include <deque>

namespace tomoshibi::sim {

struct press_report {
  std::uint64_t events = 0, trace_hash = 0;
  std::uint64_t presses = 0, drills = 0, entries = 0, repeats = 0, undelivered = 0, direct = 0, swallowed = 0, mails = 0, lines_lost = 0,
                unsaved = 0;
  std::uint64_t box_cuts = 0, relay_cuts = 0, guard_cuts = 0;
  std::string faults;
  violations found;
};

class press_world {
public:
  explicit press_world(const press_options& opt);
  press_report run();

private:
  struct call {                     // a connection to the guard centre
    press_line* line = nullptr;
    std::uint64_t session = 0;
  };
  press_line::ends ends_of_lane(std::uint32_t h);
  press_line::ends ends_of_direct(std::uint32_t h);
  press_line::ends ends_of_link();

  void guard_on();
  void guard_off(millis length);
  bool guard_does();
  void guard_said(guard::centre_output& out);
  void guard_opened(press_line& line, std::uint64_t session);
  void guard_bytes(std::uint64_t session, byte_view data);
  void guard_closed(std::uint64_t session);
  bool forged(std::uint64_t session);
  void arm_guard();

  void live(std::uint32_t home);    // the button is pressed again and again
  void begin(const drawn_press_fault& f);
  void end(const drawn_press_fault& f);
  void calm();
  line_weather& weather_of(const drawn_press_fault& f);
  press_line& line_of(const drawn_press_fault& f);
  void for_all_lines(const std::function<void(press_line&)>& f);

  press_options opt_;
  prng random_;
  press_plan plan_;
  press_clock clock_;
  press_checker checker_;
  press_relay relay_;
  std::vector<std::unique_ptr<press_box>> boxes_;
  std::vector<std::unique_ptr<press_line>> lanes_, directs_;
  std::unique_ptr<press_line> link_;
  // the guard centre; the journal outlives its power
  std::unique_ptr<guard::centre> centre_;
  std::vector<guard::entry> journal_;
  std::map<std::uint64_t, press_line*> calls_;
  std::deque<std::string> old_acks_;
  std::uint64_t guard_life_ = 0, guard_cuts_ = 0, swallowed_ = 0, repeats_ = 0;
  std::uint32_t guard_cut_after_ = 0;
  mono_time guard_back_{};
  mono_time guard_wake_ = never;
  bool forging_ = false;
  mono_time calm_{}, end_{};
};

press_report run_presses(const press_options& opt);

}  // namespace tomoshibi::sim
