#include "protocol/wire/messages.hpp"

namespace tomoshibi::wire {

std::string_view name_of(bye_reason reason) {
  switch (reason) {
    case bye_reason::shutdown: return "shutdown";
    case bye_reason::wrong_version: return "wrong_version";
    case bye_reason::identity: return "identity";
    case bye_reason::revoked: return "revoked";
    case bye_reason::malformed: return "malformed";
    case bye_reason::replaced: return "replaced";
    case bye_reason::overload: return "overload";
    case bye_reason::timeout: return "timeout";
    case bye_reason::unknown_gateway: return "unknown_gateway";
  }
  return "unlisted";
}

}  // namespace tomoshibi::wire
