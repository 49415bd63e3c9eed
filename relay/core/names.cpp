#include "relay/core/session_io.hpp"

namespace tomoshibi::relay {

std::string_view name_of(close_reason reason) {
  switch (reason) {
    case close_reason::done: return "done";
    case close_reason::replaced: return "replaced";
    case close_reason::idle: return "idle";
    case close_reason::no_hello: return "no_hello";
    case close_reason::malformed: return "malformed";
    case close_reason::protocol_version: return "protocol_version";
    case close_reason::identity: return "identity";
    case close_reason::unknown_gateway: return "unknown_gateway";
    case close_reason::revoked: return "revoked";
    case close_reason::overload: return "overload";
  }
  return "unlisted";
}

}  // namespace tomoshibi::relay
