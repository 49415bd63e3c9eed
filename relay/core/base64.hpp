// Base64 of RFC 4648 4, with padding, without line ends.
#pragma once

#include "protocol/base/bytes.hpp"

#include <string>

namespace tomoshibi::relay {

std::string base64(byte_view data);

}  // namespace tomoshibi::relay
