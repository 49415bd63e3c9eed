// What the harnesses of DC-09 share: a cipher that costs nothing, and a frame around any text.
#pragma once

#include "protocol/dc09/cipher.hpp"
#include "protocol/dc09/crc16.hpp"

#include <cstdio>
#include <string>

namespace tomoshibi::fuzz {

// Its own inverse, so that the fuzzer can write what is inside.
struct glass_cipher final : dc09::cipher {
  bytes encrypt(byte_view plain) const override { return {plain.begin(), plain.end()}; }
  bytes decrypt(byte_view sealed) const override { return {sealed.begin(), sealed.end()}; }
};

// With the CRC and length that fit: what lies behind them would be out of the fuzzer's reach.
inline std::string dc09_frame(std::string_view text) {
  char head[16];
  std::snprintf(head, sizeof head, "\n%04X0%03X", unsigned{dc09::crc16(text)}, static_cast<unsigned>(text.size() & 0xfff));
  return head + std::string(text) + '\r';
}

}  // namespace tomoshibi::fuzz
