// Presses on their way: made durable first, called through the lane, then also directly, until the guard centre has them.
//
//   press --put--> calling --Received--> received --Accepted--> accepted, shown for a while, forgotten
//                  either of the first two, direct_after the press: the direct path is started as well
//                  either of the first two, undelivered_after the press: "not delivered", and everything goes on
//
// A press that cannot be made durable goes its way all the same and is put again every put_retry; the panel says so. After a
// start, what was open goes on from its stage, and its times begin anew: how long the box was off is not known.
// A drill that nobody has acknowledged within drill_max ends by itself; a press does not.
// Pure but for the store, which is a port: time is an argument. ADR 12.
#pragma once

#include "firmware/ports/emergency_store.hpp"
#include "firmware/ports/panel.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"

#include <vector>

namespace tomoshibi::firmware {

struct emergency_settings {
  millis direct_after{5'000};        // 0: there is no direct path
  millis undelivered_after{30'000};
};
inline constexpr millis lane_answer_max{3'000};    // a lane that does not answer is dialled anew
inline constexpr millis put_retry{1'000};
inline constexpr millis shown_after{600'000};      // "the guard centre has it" stays on the panel so long
inline constexpr millis drill_max{600'000};

struct emergency_output {
  std::vector<press> to_lane;              // send each, now, before anything else
  std::vector<press> to_direct;            // start the direct path for each
  std::vector<press_id> stop_direct;  // the centre has it
  bool redial = false;                     // the lane is dead
  std::optional<panel_view> panel;         // when it changes
};

class emergency {
public:
  // `seed`: from the machine's entropy; ids come from it.
  emergency(emergency_store& store, const emergency_settings& settings, std::uint64_t seed, log_sink& log);

  status on_start(mono_time now, emergency_output& out);  // fails only if the store cannot be read: then it begins with nothing
  const std::vector<known_button>& buttons() const { return buttons_; }  // of the last run

  // `occurred` 0: no time known. Answers the id; 0: presses_max are open, which is told as not delivered.
  press_id on_press(mono_time now, wall_at occurred, press_source source, std::string button, emergency_output& out);
  void save_button(const known_button& what);

  void on_lane_up(mono_time now, emergency_output& out);
  void on_lane_down();
  // Of the relay. A stage that is not further than what is known, or of no open press, changes nothing.
  void on_stage(mono_time now, press_id id, press_stage stage, emergency_output& out);
  void on_direct_accepted(mono_time now, press_id id, emergency_output& out);

  void on_wake(mono_time now, emergency_output& out);
  mono_time next_wake() const;

  std::size_t open() const { return open_.size(); }
  const panel_view& panel() const { return panel_; }

private:
  struct way {
    press what;
    mono_time since{};            // of the press, or of the start
    mono_time put_at = never;     // to be made durable then; never: it is
    mono_time answer_by = never;  // sent through the lane, not answered
    bool direct = false;
    mono_time accepted_at{};
  };
  bool accepted(const way& w) const { return w.what.stage == press_stage::accepted; }
  way* find(press_id id);
  press_id new_id();
  void put(mono_time now, way& w);
  void send(mono_time now, way& w, emergency_output& out);
  void go_further(mono_time now, way& w, press_stage stage, emergency_output& out);
  void wake(mono_time now, way& w, emergency_output& out);
  mono_time next_wake(const way& w) const;
  bool over(mono_time now, const way& w) const;
  bool forget(mono_time now, way& w, emergency_output& out);
  panel_word word_of(mono_time now, const way& w) const;
  void show(mono_time now, emergency_output& out);

  emergency_store& store_;
  emergency_settings settings_;
  logger log_;
  prng random_;
  std::vector<way> open_;  // the oldest first
  std::vector<known_button> buttons_;
  bool lane_up_ = false;
  mono_time full_until_ = mono_time::min();  // a press found no room: shown as not delivered until then
  panel_view panel_;
};

}  // namespace tomoshibi::firmware
