// Presses on their way: made durable first, called through the lane, then also directly, until the guard centre has them, and
// reported until the relay knows the end of it.
//
//   press --put--> calling --Received--> received --Accepted--> accepted, shown for a while --Closed--> closed, forgotten
//                  either of the first two, direct_after the press: the direct path is started as well
//                  either of the first two, undelivered_after the press: "not delivered", and everything goes on
//
// A press that cannot be made durable goes its way all the same and is put again every put_retry; the panel says so. The same
// while the store cannot be read: what it holds joins in as soon as it can be. After a start, what was open goes on from its
// stage; its times begin anew, because how long the box was off is not known, and its report says `interrupted`.
// A drill that nobody has acknowledged within drill_max ends by itself; a press does not. Without a free place a real press takes
// that of the oldest accepted one, then of a drill.
//
// Times are taken by the shell's one clock: of a press when it comes, of the answers when they are read, `durable` and `shown`
// when the shell has come back from the store and the panel (on_stored, on_shown).
// Pure but for the store, which is a port: time is an argument. ADR 12.
#pragma once

#include "firmware/core/box_troubles.hpp"
#include "firmware/ports/emergency_store.hpp"
#include "firmware/ports/panel.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"
#include "protocol/wire/messages.hpp"

#include <vector>

namespace tomoshibi::firmware {

struct emergency_settings {
  millis direct_after{5'000};        // 0: there is no direct path
  millis undelivered_after{30'000};
  bool reports = true;               // false: there is no relay to tell the end to
};
inline constexpr millis lane_answer_max{3'000};       // a lane that does not answer is dialled anew; each time in a row the
inline constexpr millis lane_answer_most{24'000};     // next is given twice as long, for lines on which seconds pass
inline constexpr millis put_retry{1'000};
inline constexpr millis shown_after{600'000};         // "the guard centre has it" stays on the panel so long
inline constexpr millis report_kept{7 * 24 * 3'600'000};  // an accepted press whose report nobody takes
inline constexpr millis drill_max{600'000};
inline constexpr std::size_t drills_max = 4;          // open at a time

struct emergency_output {
  std::vector<wire::message> to_lane;  // send each, now, before anything else
  std::vector<press> to_direct;        // start the direct path for each
  std::vector<press_id> stop_direct;   // the centre has it
  bool redial = false;                 // the lane is dead
  bool buttons_loaded = false;         // buttons() is there
  std::optional<panel_view> panel;     // when it changes
};

class emergency {
public:
  // `seed`: from the machine's entropy; ids come from it.
  emergency(emergency_store& store, const emergency_settings& settings, std::uint64_t seed, log_sink& log);

  void use(const emergency_settings& settings) { settings_ = settings; }  // for what is open as well
  void on_start(mono_time now, emergency_output& out);
  const std::vector<known_button>& buttons() const { return buttons_; }  // of the last run

  // `occurred` 0: no time known. Answers the id; 0: no place, which is told as not delivered.
  press_id on_press(mono_exact at, wall_at occurred, press_source source, std::string button, emergency_output& out);
  // Asked for by the relay. A request whose press is still open makes no second one; 0: drills_max are open.
  press_id on_drill(mono_exact at, wall_at occurred, std::uint64_t request, emergency_output& out);
  void on_stored(mono_exact at);                       // after each of the calls that can put a press
  void on_shown(mono_exact at, emergency_output& out); // the panel shows what was last told to it
  bool save_button(const known_button& what);          // false: not saved

  void set_trouble(trouble_kind kind, std::string_view button, bool on, emergency_output& out);

  void on_lane_up(mono_time now, emergency_output& out);
  void on_lane_down();
  // Of the relay. A stage that is not the next to what is known, or of no open press, changes nothing.
  void on_stage(mono_exact at, press_id id, press_stage stage, emergency_output& out);
  void on_direct_accepted(mono_exact at, press_id id, emergency_output& out);

  void on_wake(mono_time now, emergency_output& out);
  mono_time next_wake() const;

  std::size_t open() const { return open_.size(); }
  bool urgent() const;                                 // a press waits for the guard centre
  bool loaded() const { return loaded_; }
  const panel_view& panel() const { return panel_; }

  struct counters {
    std::uint64_t presses = 0, drills = 0, accepted = 0, undelivered = 0, without_room = 0, put_failures = 0, unknown_news = 0;
  };
  const counters& counts() const { return counts_; }

private:
  struct way {
    press what;
    mono_exact since{};           // of the press, or of the start
    mono_time put_at = never;     // to be made durable then; never: it is
    mono_time answer_by = never;  // sent through the lane, not answered
    bool direct = false;
    bool interrupted = false;     // of an earlier run
    bool reported = false;        // its end, through the lane that is up
    mono_time accepted_at{};
    bool shown_over = false;      // accepted, and long enough on the panel
    wire::press_times times = {};
    bool timed_durable = true, timed_shown = true;  // false: the next on_stored, on_shown tells
  };
  static bool accepted(const way& w) { return w.what.stage >= press_stage::accepted; }
  way* find(press_id id);
  press_id new_id();
  void load(mono_time now, emergency_output& out);
  void join(mono_time now, std::vector<press> held);
  bool make_room(bool for_drill);
  press_id begin(mono_exact at, press what, emergency_output& out);
  void put(mono_time now, way& w);
  void send(mono_time now, way& w, emergency_output& out);
  void report(way& w, emergency_output& out);
  wire::press_report report_of(const way& w) const;
  void go_further(mono_exact at, way& w, press_stage stage, emergency_output& out);
  void accept(mono_exact at, way& w, press_path path, emergency_output& out);
  void wake(mono_time now, way& w, emergency_output& out);
  mono_time next_wake(const way& w) const;
  bool over(mono_time now, const way& w) const;
  bool forget(mono_time now, way& w, emergency_output& out);
  panel_word word_of(const way& w) const;
  void show(mono_time now, emergency_output& out);

  emergency_store& store_;
  emergency_settings settings_;
  logger log_;
  prng random_;
  std::vector<way> open_;  // the oldest first
  std::vector<known_button> buttons_;
  box_troubles troubles_;
  bool loaded_ = false;
  mono_time load_at_ = never;
  bool lane_up_ = false;
  millis answer_max_ = lane_answer_max;
  bool unknown_told_ = false;                  // since the lane is up
  mono_time full_until_ = mono_time::min();    // a press found no room: shown as not delivered until then
  panel_view panel_;
  counters counts_;
};

}  // namespace tomoshibi::firmware
