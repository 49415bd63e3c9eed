// All buttons of the home: what drivers and the box heard of them becomes presses, troubles, and what is to be saved.
//
// A button exists from the first thing heard of it (or from what was saved of it) on; its source follows from its name: a device
// key of ECHONET class 0x0003 (emergency button) or 0x0004 (first-aid), anything else is a button of the box, which is not supervised.
// A host that speaks before it has said who it is, is known by its address ("ip:..."); when the same object speaks under another
// name within again_after it is taken for that one, so that one press is not two.
// Beyond buttons_max the one unheard for longest gives way. Pure: time is an argument.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/button.hpp"
#include "firmware/ports/emergency_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr std::size_t buttons_max = known_buttons_max;
inline constexpr millis button_saved_after{200};    // a press goes first; and a button that is played with costs one write a second
inline constexpr millis button_saved_every{1'000};
inline constexpr std::uint32_t eoj_emergency_button = 0x000300;  // instance byte 0: any
inline constexpr std::uint32_t eoj_first_aid = 0x000400;

struct buttons_output {
  struct fired {
    std::string button;
    press_source source = press_source::button;
  };
  struct changed {
    trouble_kind kind = trouble_kind::button_stuck;
    std::string button;
    bool on = false;
  };
  std::vector<fired> presses;
  std::vector<changed> troubles;
};

bool is_emergency_button(std::uint32_t eoj);
press_source source_of(std::string_view button);
// What a driver is to read so that buttons are found, supervised, and a press that was not heard is seen.
std::vector<drivers::watch> button_watches();

class buttons {
public:
  // `period`: an ECHONET button must be heard of at least so often; 0: none is supervised.
  explicit buttons(millis period) : period_(period) {}

  void on_loaded(mono_time now, const std::vector<known_button>& known);
  void on_state(mono_time now, std::string_view name, bool pressed, button_heard how, buttons_output& out);
  void on_alive(mono_time now, std::string_view name, buttons_output& out);
  // Of an emergency button's object.
  void on_reading(mono_time now, const drivers::reading& reading, buttons_output& out);
  void on_presence(mono_time now, const drivers::device_presence& presence, buttons_output& out);
  void on_wake(mono_time now, buttons_output& out);
  mono_time next_wake() const;

  std::vector<known_button> to_save(mono_time now);        // due: each is given once
  void save_again(mono_time now, const known_button& what); // it could not be saved

  std::size_t count() const { return all_.size(); }
  std::size_t troubled() const;

private:
  struct entry {
    std::string name;
    button what;
    mono_time heard_at{};
    std::optional<bool> saved;
    mono_time save_at = never;
  };
  entry* find(std::string_view name);
  entry& at(mono_time now, std::string_view name, buttons_output& out);
  entry* earlier_name_of(mono_time now, std::string_view name, buttons_output& out);
  entry& add(mono_time now, std::string name, std::optional<bool> last_known);
  void drop(std::vector<entry>::iterator which, buttons_output& out);
  void take(mono_time now, entry& e, buttons_output& out);

  millis period_;
  std::vector<entry> all_;
  std::vector<button_news> news_;   // scratch
};

}  // namespace tomoshibi::firmware
