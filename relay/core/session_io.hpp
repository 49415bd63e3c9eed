// What the relay core is told and what it asks for: names of connections and commits, and the actions of one turn.
#pragma once

#include "protocol/base/bytes.hpp"
#include "relay/ports/store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tomoshibi::relay {

enum class session_id : std::uint64_t {};     // one connection; never used again within a run
enum class commit_ticket : std::uint64_t {};  // one attempt to commit; a retry has a new one

// Who is at the other end, as the TLS layer proved it.
struct peer {
  std::string subject_cn;          // of the client certificate
  std::string certificate_sha256;  // lower-case hex of the DER
  std::string remote;              // address and port, for the log of refused peers only
};

enum class close_reason : std::uint8_t {
  done,              // the gateway said bye or hung up
  replaced,          // a newer connection of the same gateway
  idle,              // nothing heard for session_idle
  no_hello,          // no hello within hello_wait
  malformed,         // garbage, a frame out of turn, a gap in the sequence
  protocol_version,
  identity,          // claimed name or certificate is not the enrolled one
  unknown_gateway,
  revoked,
  overload,          // over a limit of this session or of the relay
};
inline constexpr int close_reasons = 10;
std::string_view name_of(close_reason reason);

// ---- actions, in the order in which they are to be done

struct send {                      // append to the session's outgoing stream
  session_id session{};
  bytes data;
};
struct close {                     // after what was sent before has left (the shell bounds that wait), hang up;
  session_id session{};            // the core has forgotten the session: no on_session_closed is needed (it is harmless)
  close_reason reason{};
};
struct commit {                    // run store.commit(batch), then call on_commit_done(ticket, status)
  commit_ticket ticket{};          // at most one is out at any time
  std::shared_ptr<const write_batch> batch;  // the core keeps hold of it until it is durable
};
struct submit_mail {               // hand to the mail server, then call on_mail_done(key, result)
  mail what;
  std::string to_name;
  std::string to_address;
  language lang{};
  std::string from_address;
};

using action = std::variant<send, close, commit, submit_mail>;
using output = std::vector<action>;  // caller-owned; drained at the end of the turn

enum class mail_outcome : std::uint8_t { ok, temporary, permanent };
struct mail_result {
  mail_outcome outcome{};
  std::string server_text;         // reply or error, without addresses; kept to mail_error_bytes_max
};

}  // namespace tomoshibi::relay
