// Hands mails to the provider's mail server: one thread, one connection kept for several mails, a bounded queue.
// The connection itself is curl_smtp's.
//
// Results: 2xx after the text -> ok. 5xx to MAIL, RCPT, DATA or the text -> permanent. Everything else -> temporary: 4xx,
// no connection, time-outs, TLS and certificate faults, a server without STARTTLS where it is required, a refused login
// or greeting (faults of the set-up must not use up a family's mail). If the connection breaks after the text was sent
// and before the answer, the mail counts as temporary and leaves again with the same Message-ID (docs/OPERATIONS.md).
#pragma once

#include "protocol/base/result.hpp"
#include "relay/core/session_io.hpp"
#include "relay/shell/config_file.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tomoshibi::relay {

inline constexpr std::size_t smtp_queue_max = 16;          // the core has at most limits::mails_in_flight_max out
inline constexpr std::size_t smtp_reply_bytes_max = 200;

struct smtp_options {
  std::string server;
  std::uint16_t port = 587;
  mail_security security = mail_security::starttls;        // none: refused unless the server is on loopback
  std::string user;
  std::string password;                                    // never on a command line, never in the log
  std::string ca_file;
  std::string ehlo_name;                                   // a domain
  std::uint32_t timeout_s = 60;                            // one mail, connection and all
};
// Reads the password file. Errors: config_invalid (plain off loopback, unreadable or empty password file).
result<smtp_options> smtp_options_of(const mail_config& config);

struct smtp_job {
  std::string from;                                        // checked addresses
  std::string to;
  std::string text;                                        // RFC 5322 with CRLF
};

class smtp_worker {
public:
  using done_handler = std::move_only_function<void(mail_result)>;  // called once, on the worker's thread

  explicit smtp_worker(smtp_options options);
  ~smtp_worker();                                          // stop()
  smtp_worker(const smtp_worker&) = delete;
  smtp_worker& operator=(const smtp_worker&) = delete;

  void submit(smtp_job job, done_handler done);            // a full queue answers temporary at once, on the caller's thread
  void change(smtp_options options);                       // for mails after the one that is out; drops the connection
  void stop();                                             // breaks off what is out; all that wait end as temporary

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
