// The line that tells a person how far the replay is: date, share, speed, what it waits for.
#pragma once

#include "tools/replay/conductor.hpp"

#include <optional>
#include <string>

namespace tomoshibi::replay {

struct progress_options {
  bool enabled = true;
  bool terminal = false;                 // rewrite one line; otherwise a new line now and then
  std::chrono::minutes zone{0};          // the home's, for the date shown
};

inline constexpr millis progress_every_terminal = 200ms;
inline constexpr millis progress_every_log = 5s;

// What is shown, without the carriage return.
std::string progress_text(const conductor& c, std::chrono::minutes zone, double speed);

class progress {
public:
  explicit progress(progress_options options) : options_(options) {}
  // The text to write to standard error, or nothing yet.
  std::optional<std::string> update(mono_time real, const conductor& c);
  std::string finish();                  // ends an open line
  bool due(mono_time real) const { return options_.enabled && real >= due_; }

private:
  progress_options options_;
  mono_time due_{};
  std::optional<mono_time> last_real_;
  mono_time last_virtual_{};
  double speed_ = 0;
  bool line_open_ = false;
};

}  // namespace tomoshibi::replay
