// tomoshibi-gateway's command line.
#pragma once

#include "protocol/base/result.hpp"

#include <span>
#include <string>

namespace tomoshibi::firmware {

enum class command : std::uint8_t { run, check_config, print_config, version, help };

struct gateway_options {
  command what = command::run;
  std::string config_path = "/etc/tomoshibi/gateway.toml";
  std::string replay_socket;       // empty: real time
};

// config_invalid: what was not understood.
result<gateway_options> parse_options(std::span<char* const> arguments);
std::string_view usage_text();

}  // namespace tomoshibi::firmware
