// The gateways that the load generator plays: name, certificate and key of each, in one file (secret, mode 0600).
#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <vector>

namespace tomoshibi::load {

struct member {
  std::string name;
  std::string certificate_pem;
  std::string key_pem;
};

status write_fleet(const std::string& path, const std::vector<member>& members);
// The first `count` of the file. Errors: config_invalid (not there, too few, not a fleet).
result<std::vector<member>> read_fleet(const std::string& path, std::size_t count);

// A whole file; config_invalid when it cannot be read.
result<std::string> read_text(const std::string& path);

}  // namespace tomoshibi::load
