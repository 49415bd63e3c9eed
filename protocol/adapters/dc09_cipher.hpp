// AES-CBC for DC-09 frames, by Mbed TLS's AES. The chain is ours: the mode in Mbed TLS would also bring its TLS 1.2 suites.
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/dc09/cipher.hpp"

#include <memory>

namespace tomoshibi {

// Key of 16, 24 or 32 bytes; config_invalid for any other.
result<std::unique_ptr<dc09::cipher>> make_dc09_cipher(byte_view key);

}  // namespace tomoshibi
