// One way to fail: result<T> with a stable code (docs/ERRORS.md has cause and reaction) and a detail for the log.
// The detail says where and what is allowed; it never carries names of people, readings, or keys.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tomoshibi {

enum class errc : std::uint16_t {
  // bytes from outside
  truncated = 1,      // input ended inside a field
  malformed,          // input breaks its format
  too_long,           // longer than a named limit
  unsupported,        // a version or kind this program does not speak
  // configuration and operators
  config_invalid = 20,  // detail: file:line: key: what is allowed
  not_found,
  already_exists,
  refused,            // allowed by format, forbidden by a rule
  // storage
  storage_io = 40,    // read or write failed (detail: SQLite text)
  storage_full,
  storage_corrupt,
  storage_busy,
  storage_version,    // made by a newer program
  // network and peers
  net_unreachable = 60,
  net_closed,
  net_timeout,
  tls_failed,         // handshake or record layer
  peer_identity,      // certificate and claimed name differ, or certificate revoked
  mail_temporary,     // try again later
  mail_permanent,     // will never be accepted
};

std::string_view name_of(errc code);  // "truncated", "config_invalid" ...

struct error {
  errc code{};
  std::string detail;
};

template <class T>
using result = std::expected<T, error>;
using status = result<void>;

inline std::unexpected<error> fail(errc code, std::string detail = {}) {
  return std::unexpected<error>(error{code, std::move(detail)});
}

}  // namespace tomoshibi
