// The relay's Unix socket for tomoshibi-ctl: one line in, one line out (data_folder.hpp lists the commands). Mode 0600:
// who may write here may also write the database.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/base/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

inline constexpr std::size_t control_connections_max = 16;
inline constexpr millis control_patience{5'000};  // with one caller, from its coming to the end of its line
inline constexpr millis control_answer_patience{9'000};  // from there to the answer; shorter than tomoshibi-ctl's own

class control_socket {
public:
  // The answer, without LF; at once or later, once. For a caller that has gone, or after control_answer_patience, it is dropped.
  using reply = std::function<void(std::string answer)>;
  using answer_handler = std::function<void(std::string_view line, reply)>;

  // Takes over the path of a relay that died. Errors: already_exists (another relay answers there), storage_io.
  static result<std::unique_ptr<control_socket>> open(event_loop& loop, const std::string& path, answer_handler answer,
                                                      millis patience = control_patience);
  ~control_socket();  // removes the path
  control_socket(const control_socket&) = delete;
  control_socket& operator=(const control_socket&) = delete;

private:
  struct impl;
  explicit control_socket(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
