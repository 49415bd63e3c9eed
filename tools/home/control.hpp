// What a running home can be told: somebody presses a button, or lets go of it. A Unix datagram socket, one command each:
//   press NODE EOJ [hold=SECONDS] [notice=inf|infc|silent]
//   release NODE EOJ [notice=inf|infc|silent]
// and one answer each: "ok", or what is wrong. hold: let go of after so long; without it, it is held until it is released.
#pragma once

#include "tools/home/household.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::home {

inline constexpr std::size_t command_bytes_max = 200;
inline constexpr std::uint32_t command_hold_s_max = 86'400;

// Errors: config_invalid.
result<hand_on_button> parse_command(std::string_view text);

class control_socket {
public:
  control_socket() = default;
  control_socket(const control_socket&) = delete;
  control_socket& operator=(const control_socket&) = delete;
  ~control_socket();

  // Errors: net_unreachable: the path is taken or cannot be bound. An empty path: there is none, and nothing is ever told.
  status open(const std::string& path);
  int descriptor() const { return fd_; }
  // Carries out what waits; answers how many commands there were.
  std::size_t drain(mono_time now, household& home, std::vector<outgoing>& out);

private:
  int fd_ = -1;
  std::string path_;
};

// The other end: says it and waits for the answer. Errors: net_unreachable, net_timeout, refused with the home's words.
status tell_home(const std::string& path, std::string_view command);

}  // namespace tomoshibi::home
