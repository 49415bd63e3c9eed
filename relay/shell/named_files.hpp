// Whether the files that relay.toml names can be used: what --check-config looks at beside the certificates of the device channel.
#pragma once

#include "protocol/base/result.hpp"
#include "relay/shell/config_file.hpp"

namespace tomoshibi::relay {

// Everything that is wrong at once, a line each: "guard.ca: FILE: what is wanted". config_invalid, as at a
// start, which goes on without a mail server's CA all the same.
status check_named_files(const relay_config& config);

}  // namespace tomoshibi::relay
