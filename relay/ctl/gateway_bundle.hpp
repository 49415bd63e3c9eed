// What a box needs to dial in, as a folder: gateway.toml, ca.pem, gateway.pem, gateway.key (mode 0600); with a direct path to
// the guard centre also guard-ca.pem and guard-account.key (mode 0600).
#pragma once

#include "protocol/adapters/pki.hpp"

#include <optional>
#include <string>

namespace tomoshibi::ctl {

inline constexpr std::uint16_t lane_port = 8444;  // what a gateway dials unless it is told otherwise

// The gateway's own way to the guard centre, for a press that the relay has not brought there in time.
struct bundle_guard {
  std::string receiver;       // tls://host:port, or tcp:// to this machine
  std::string account;
  std::string key_hex;        // may be empty
  std::string ca_pem;         // empty with tcp://
  bool sia = false;           // as the relay speaks to this centre
  std::string receiver_number, line_prefix;
  bool extensions = true;
};

struct bundle {
  gateway_id gateway;
  std::string relay_host;     // name or address, as in the relay's certificate
  std::uint16_t relay_port = 0;
  std::uint16_t emergency_port = lane_port;  // of the relay's [emergency]
  std::optional<bundle_guard> guard;
  std::string ca_pem;
  key_and_certificate identity;
};

std::string gateway_configuration(const bundle& b);  // the text of gateway.toml

// Makes the folder (mode 0700) with everything in it, or nothing. Errors: already_exists, storage_io.
status write_bundle(const std::string& folder, const bundle& b);

}  // namespace tomoshibi::ctl
