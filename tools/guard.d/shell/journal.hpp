// What the guard centre has heard, one JSON object a line, each with its time. A booked event is on disk (fdatasync) before
// it is acknowledged; at the next start the list is read back from it, so that a killed centre books nothing twice.
#pragma once

#include "tools/guard.d/core/centre.hpp"

#include <string>

namespace tomoshibi::guard {

class journal {
public:
  journal() = default;                                  // writes nothing
  static result<journal> open(const std::string& path, std::vector<entry>& restored);
  journal(journal&& other) noexcept;
  journal& operator=(journal&& other) noexcept;
  ~journal();

  status booked(const entry& e);
  status repeated(const entry& e);
  status told(wall_at at, std::string_view kind, std::string_view account);   // "linked", "lost", "back"
  status refused(wall_at at, std::string_view account, std::string_view why);
  status listening(wall_at at, std::string_view transport, std::uint16_t port);

private:
  status write(const std::string& line, bool durable);
  int fd_ = -1;
};

std::string iso_text(wall_at at);                       // 2027-01-02T03:04:05.678Z

}  // namespace tomoshibi::guard
