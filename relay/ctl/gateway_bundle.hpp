// What a box needs to dial in, as a folder: gateway.toml, ca.pem, gateway.pem, gateway.key (mode 0600).
#pragma once

#include "protocol/adapters/pki.hpp"

#include <string>

namespace tomoshibi::ctl {

struct bundle {
  gateway_id gateway;
  std::string relay_host;     // name or address, as in the relay's certificate
  std::uint16_t relay_port = 0;
  std::string ca_pem;
  key_and_certificate identity;
};

std::string gateway_configuration(const bundle& b);  // the text of gateway.toml

// Makes the folder (mode 0700) with everything in it, or nothing. Errors: already_exists, storage_io.
status write_bundle(const std::string& folder, const bundle& b);

}  // namespace tomoshibi::ctl
