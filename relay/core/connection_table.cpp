#include "relay/core/connection_table.hpp"

namespace tomoshibi::relay {

std::optional<refusal> check_certificate(const peer& who, const directory& known) {
  const auto name = gateway_id::parse(who.subject_cn);
  const auto found = name ? known.gateways.find(*name) : known.gateways.end();
  if (found == known.gateways.end()) return refusal{close_reason::unknown_gateway, "no gateway of this name"};
  if (found->second.revoked) return refusal{close_reason::revoked, "this gateway's certificate is revoked"};
  if (found->second.certificate_sha256.empty() || found->second.certificate_sha256 != who.certificate_sha256)
    return refusal{close_reason::identity, "not the certificate that was issued last"};
  return std::nullopt;
}

}  // namespace tomoshibi::relay
