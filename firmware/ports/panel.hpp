// What the box shows and says to the person in the room: lamps, buzzer, voice. docs/PANEL.md.
//
// show() is told each change once and never fails: a panel that is broken must not hold up a press. It does not block for
// longer than a few small writes.
#pragma once

#include <cstdint>

namespace tomoshibi::firmware {

// The worst of all that is open, with the words of the panel.
enum class panel_word : std::uint8_t { idle, accepted, received, calling, not_delivered };
struct panel_view {
  panel_word word = panel_word::idle;
  bool test = false;       // only drills are open
  bool not_saved = false;  // a press is not durable: the disk fails
  bool operator==(const panel_view&) const = default;
};

class panel {
public:
  virtual ~panel() = default;
  virtual void show(const panel_view& what) = 0;
};

}  // namespace tomoshibi::firmware
