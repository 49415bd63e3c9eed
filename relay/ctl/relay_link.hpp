// The running relay's control socket (relay/shell/data_folder.hpp): one line there, one line back.
#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::ctl {

// Errors: net_unreachable (nobody listens: the relay does not run), net_timeout, net_closed, refused (permission).
result<std::string> ask_relay(const std::string& socket_path, std::string_view line);

}  // namespace tomoshibi::ctl
