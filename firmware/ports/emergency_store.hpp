// Where the gateway keeps presses until the guard centre has them, and what was last known of the buttons.
//
// Synchronous, a file of its own, each call one transaction that is durable when it returns: after a power cut at any
// instant either all of it or none of it is there. A call that fails has changed nothing.
// One contract test suite (tests/firmware/emergency_store_contract.cpp) runs against every implementation.
#pragma once

#include "protocol/base/press.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr std::size_t presses_max = 64;       // open at a time; space for them is reserved when the file is made
inline constexpr std::size_t button_name_max = 64;   // bytes; a device key or a line of the box
inline constexpr std::size_t known_buttons_max = 64; // beyond, the one that was not put for longest is forgotten

struct press {
  press_id id{};
  press_source source = press_source::button;
  std::string button;
  wall_at occurred{};            // 0: no time was known
  bool test = false;             // a drill: every hop carries the mark, none takes it off
  press_stage stage = press_stage::calling;
  press_path path = press_path::none;       // accepted: by which
  bool undelivered = false;                 // the panel has said "not delivered"
  std::optional<std::uint64_t> request = {};  // of the relay, which this drill answers
  bool operator==(const press&) const = default;
};

struct known_button {
  std::string button;
  bool pressed = false;
  bool operator==(const known_button&) const = default;
};

struct emergency_state {
  std::vector<press> open;       // in the order of their first put
  std::vector<known_button> buttons;  // the one put last is last
  std::size_t damaged = 0;       // rows that could not be read any more: each may have been a press. Told once
};

class emergency_store {
public:
  virtual ~emergency_store() = default;
  virtual result<emergency_state> load() = 0;
  // New, or what is held of this id as it is now. Refused: a new one beside presses_max others, or a name too long.
  virtual status put(const press& what) = 0;
  virtual status forget(press_id id) = 0;              // done with; also if it is not there
  virtual status put_button(const known_button& what) = 0;  // refused: a name too long
};

}  // namespace tomoshibi::firmware
