// What lies in the relay's folder (--dir), for the daemon and for tomoshibi-ctl.
#pragma once

#include <string>

namespace tomoshibi::relay {

struct data_folder {
  std::string path;

  std::string configuration() const { return path + "/relay.toml"; }
  std::string database() const { return path + "/relay.db"; }
  std::string emergency_database() const { return path + "/emergency.db"; }  // presses, mode 0600
  std::string control_socket() const { return path + "/relay.sock"; }      // made by the daemon, mode 0600
  std::string ca_certificate() const { return path + "/ca.pem"; }
  std::string ca_key() const { return path + "/ca-key.pem"; }              // mode 0600; the daemon never reads it
  std::string relay_certificate() const { return path + "/relay.pem"; }
  std::string relay_key() const { return path + "/relay-key.pem"; }        // mode 0600
  std::string ticket_keys() const { return path + "/ticket-keys"; }        // made by the daemon, mode 0600
};

// The control socket takes one line and answers one line, then hangs up:
//   "reload"  the directory or the mail queue was changed: read it again      -> "ok" | "error <why>"
//   "status"  the core's health as JSON on one line                           -> {...}
//   "drill HOME", "guard-test HOME", "dispatch HOME WHO REASON" (HOME: its number; WHO, REASON: UTF-8 in hexadecimal digits),
//             see emergency_requests.hpp                                      -> "ok <id, 16 hexadecimal digits>" |
//                                                                                "error <code> <why>"
// Anything else, or more than control_line_max bytes: "error unknown command".
inline constexpr std::size_t control_line_max = 1'200;
inline constexpr std::size_t control_answer_max = 64 * 1024;

}  // namespace tomoshibi::relay
