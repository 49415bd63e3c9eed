// Standard error as something that takes a line now or does not: a reader that has stopped reading (a full pipe or socket, a terminal
// that nobody looks at) is never waited for longer than one says.
//
// A pipe or a terminal is opened a second time, so that not waiting is ours alone and not that of everybody who shares it. Where that
// is refused (another user's terminal) it is asked before each write whether there is room, which a pipe keeps and a terminal may not.
#pragma once

#include "protocol/base/time.hpp"

#include <string>
#include <string_view>

namespace tomoshibi {

class stderr_lines {
public:
  stderr_lines();
  ~stderr_lines();
  stderr_lines(const stderr_lines&) = delete;
  stderr_lines& operator=(const stderr_lines&) = delete;

  // Waits for room at most `patience`. False: nothing of the line was written. A line that was begun is ended by the next call.
  bool put(std::string_view line, millis patience);

private:
  long write_now(std::string_view text) const;         // bytes; -1: no room now, or it failed
  bool wait_for_room(millis patience) const;

  int fd_;
  bool own_ = false;
  bool socket_ = false;
  std::string rest_;                                   // of the line before
};

}  // namespace tomoshibi
