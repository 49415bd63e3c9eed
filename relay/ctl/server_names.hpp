// The names that gateways dial, and the relay's certificate that carries them.
#pragma once

#include "protocol/adapters/pki.hpp"

#include <string>
#include <vector>

namespace tomoshibi::ctl {

// Sorted into names and addresses; the first becomes the CN. Errors: config_invalid.
result<server_certificate_request> read_server_names(const std::vector<std::string>& names);

// What a certificate is for, to be read: "relay.example.org, 203.0.113.7".
std::string names_of(const certificate_facts& facts);

// Whether a gateway that dials `host` believes the certificate: letters of either case, "*." for one label, an address in
// whatever way it is written.
bool covers(const certificate_facts& facts, const std::string& host);

}  // namespace tomoshibi::ctl
