#include "protocol/base/crc32.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi {

// Goal: the CRC is the well-known one, so that another tool can check what we stored; and every changed byte shows.
TEST_CASE("crc32") {
  CHECK(crc32({}) == 0);
  CHECK(crc32(as_bytes("123456789")) == 0xcbf43926);
  CHECK(crc32(as_bytes("6789"), crc32(as_bytes("12345"))) == 0xcbf43926);
  bytes data(300, 7);
  const auto whole = crc32(data);
  for (auto& b : data) {
    b ^= 0x10;
    CHECK(crc32(data) != whole);
    b ^= 0x10;
  }
}

}  // namespace tomoshibi
