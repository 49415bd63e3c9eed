#include "protocol/adapters/dc09_cipher.hpp"

#include "protocol/base/check.hpp"

#include <algorithm>
#include <array>
#include <mbedtls/aes.h>

namespace tomoshibi {
namespace {

using dc09::block_bytes;

class aes_cbc final : public dc09::cipher {
public:
  aes_cbc() {
    mbedtls_aes_init(&to_);
    mbedtls_aes_init(&from_);
  }
  ~aes_cbc() override {
    mbedtls_aes_free(&to_);
    mbedtls_aes_free(&from_);
  }
  aes_cbc(const aes_cbc&) = delete;
  aes_cbc& operator=(const aes_cbc&) = delete;

  bool set(byte_view key) {
    const auto bits = static_cast<unsigned>(key.size() * 8);
    return mbedtls_aes_setkey_enc(&to_, key.data(), bits) == 0 && mbedtls_aes_setkey_dec(&from_, key.data(), bits) == 0;
  }

  bytes encrypt(byte_view plain) const override {
    TOMO_REQUIRE(plain.size() % block_bytes == 0);
    bytes out(plain.size());
    std::array<std::uint8_t, block_bytes> chain{};
    for (std::size_t at = 0; at < plain.size(); at += block_bytes) {
      for (std::size_t i = 0; i < block_bytes; ++i) chain[i] ^= plain[at + i];
      TOMO_REQUIRE(mbedtls_aes_crypt_ecb(&to_, MBEDTLS_AES_ENCRYPT, chain.data(), chain.data()) == 0);
      std::ranges::copy(chain, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
  }

  bytes decrypt(byte_view sealed) const override {
    TOMO_REQUIRE(sealed.size() % block_bytes == 0);
    bytes out(sealed.size());
    for (std::size_t at = 0; at < sealed.size(); at += block_bytes) {
      TOMO_REQUIRE(mbedtls_aes_crypt_ecb(&from_, MBEDTLS_AES_DECRYPT, sealed.data() + at, out.data() + at) == 0);
      if (at == 0) continue;
      for (std::size_t i = 0; i < block_bytes; ++i) out[at + i] ^= sealed[at - block_bytes + i];
    }
    return out;
  }

private:
  mutable mbedtls_aes_context to_;     // Mbed TLS takes no const; one thread owns it
  mutable mbedtls_aes_context from_;
};

}  // namespace

result<std::unique_ptr<dc09::cipher>> make_dc09_cipher(byte_view key) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32)
    return fail(errc::config_invalid, "a DC-09 key has 16, 24 or 32 bytes, not " + std::to_string(key.size()));
  auto made = std::make_unique<aes_cbc>();
  if (!made->set(key)) return fail(errc::config_invalid, "the DC-09 key cannot be used");
  return made;
}

}  // namespace tomoshibi
