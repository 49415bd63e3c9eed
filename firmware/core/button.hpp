// One emergency button: which of the things heard of it is a press, and when the button itself is in trouble.
//
//   unknown --found released--> released          unknown --found pressed--> stuck: some buttons start that way
//   released --pressed, found or announced--> pressed (a press)
//   unknown --announced pressed--> pressed (a press: a needless call costs less than a missing one)
//   pressed --announced again, again_after the last press--> pressed (a press: help has not come)
//   pressed --released--> released                pressed --for stuck_after--> stuck (trouble)
//   stuck --announced again, stuck_after the last press--> stuck (a press)
//   stuck --released--> released (trouble over)   any --unheard for its period--> silent as well (trouble), until heard
// A press within bounce_max of the last one is that one: contacts bounce, and datagrams come twice.
//
// What was known of a button before the box was off is given back to it (`last_known`): a latched press during a power cut
// is then found as a press. ADR 12 says why. Pure: time is an argument; at most button_news_max news a call.
#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr millis bounce_max{1'500};
inline constexpr millis again_after{60'000};     // some buttons repeat what they announce for as long as they are held
inline constexpr millis stuck_after{600'000};    // nobody holds a button for ten minutes
inline constexpr std::size_t button_news_max = 3;

enum class button_heard : std::uint8_t {
  found,      // it was asked
  announced,  // it spoke by itself
};

enum class button_news : std::uint8_t { press, stuck, stuck_over, silent, silent_over };

class button {
public:
  // `period`: it must be heard of at least so often; 0: it is not supervised. last_known: pressed (true) or released, as
  // saved; nothing: it is new.
  button(mono_time now, millis period, std::optional<bool> last_known);

  void on_state(mono_time now, bool pressed, button_heard how, std::vector<button_news>& out);
  void on_alive(mono_time now, std::vector<button_news>& out);  // heard, but not about its state
  void on_wake(mono_time now, std::vector<button_news>& out);
  mono_time next_wake() const;

  std::optional<bool> last_known() const;  // to be saved whenever it changes
  bool stuck() const { return state_ == state::stuck; }
  bool silent() const { return silent_; }

private:
  enum class state : std::uint8_t { unknown, released, pressed, stuck };
  void press(mono_time now, millis after_last, std::vector<button_news>& out);
  void become_pressed(mono_time now, std::vector<button_news>& out);
  void find_pressed(mono_time now, std::vector<button_news>& out);
  void announce_pressed(mono_time now, std::vector<button_news>& out);
  void release(std::vector<button_news>& out);

  millis period_;
  state state_;
  std::optional<mono_time> last_press_;
  mono_time pressed_since_{};
  mono_time heard_at_;
  bool silent_ = false;
};

}  // namespace tomoshibi::firmware
