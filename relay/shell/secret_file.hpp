// Secrets that an operator brings (a key of the guard centre, the API's token): from a file or standard input, never from the
// command line, where everybody on the machine could read them and the shell would keep them.
#pragma once

#include "protocol/base/result.hpp"

#include <string>

namespace tomoshibi::relay {

inline constexpr std::size_t secret_bytes_max = 1024;

// The only line of a file, without blanks at its ends; "-" is standard input. Errors, with the name of the option or key: not_found,
// storage_io, too_long, config_invalid (empty, several lines, or a file that everybody may read).
result<std::string> read_secret(const std::string& option, const std::string& path);

}  // namespace tomoshibi::relay
