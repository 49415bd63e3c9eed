// Goal: the chain of blocks is CBC as NIST SP 800-38A (appendix F.2) has it, for all three sizes of key.
#include "protocol/adapters/dc09_cipher.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("CBC of two blocks agrees with the standard's example") {
  // F.2 starts from 000102...0f, we start from zeros: its first block comes in already combined with that.
  struct vector {
    const char* key;
    const char* first;
    const char* second;
  };
  const vector all[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d", "5086cb9b507219ee95db113a917678b2"},
      {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "4f021db243bc633d7178183a9fa071e8",
       "b4d9ada9ad7dedf4e5e738763f69145a"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
       "9cfc4e967edb808d679f777bc6702c7d"},
  };
  bytes plain = from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").value();
  for (std::size_t i = 0; i < 16; ++i) plain[i] = static_cast<std::uint8_t>(plain[i] ^ i);
  for (const vector& v : all) {
    const auto c = make_dc09_cipher(from_hex(v.key).value()).value();
    const bytes sealed = c->encrypt(plain);
    CHECK(to_hex(sealed) == std::string(v.first) + v.second);
    CHECK(c->decrypt(sealed) == plain);
    CHECK(c->encrypt({}).empty());
  }
}

TEST_CASE("keys of other sizes are refused") {
  for (const std::size_t size : {0u, 1u, 15u, 17u, 23u, 31u, 33u, 64u}) {
    const auto made = make_dc09_cipher(bytes(size));
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::config_invalid);
  }
}
