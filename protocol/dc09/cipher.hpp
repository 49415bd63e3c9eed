// AES in CBC mode with an initial vector of zeros, as DC-09 wants it for each message. The codec knows only this; who
// computes it stands in protocol/adapters/dc09_cipher.hpp.
#pragma once

#include "protocol/base/bytes.hpp"

namespace tomoshibi::dc09 {

inline constexpr std::size_t block_bytes = 16;

class cipher {
public:
  virtual ~cipher() = default;
  // Whole blocks in, as many out.
  virtual bytes encrypt(byte_view plain) const = 0;
  virtual bytes decrypt(byte_view sealed) const = 0;
};

}  // namespace tomoshibi::dc09
