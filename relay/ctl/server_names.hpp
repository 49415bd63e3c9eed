// The names that gateways dial, as they go into the relay's certificate.
#pragma once

#include "protocol/adapters/pki.hpp"

#include <string>
#include <vector>

namespace tomoshibi::ctl {

// Sorted into names and addresses; the first becomes the CN. Errors: config_invalid.
result<server_certificate_request> read_server_names(const std::vector<std::string>& names);

}  // namespace tomoshibi::ctl
