// What tls_engine.cpp and pki.cpp share of Mbed TLS. Included by these two only.
#pragma once

#include "protocol/adapters/tls_engine.hpp"
#include "protocol/base/result.hpp"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

namespace tomoshibi::mbed {

// Starts the cryptography once (psa_crypto_init); TLS 1.3 and the random generator need it.
status start();

// For the f_rng / p_rng pairs of Mbed TLS.
int random(void*, unsigned char* out, std::size_t size);

std::unexpected<error> failed(int code, std::string_view doing, errc as = errc::tls_failed);

struct certificate_chain {
  certificate_chain() { mbedtls_x509_crt_init(&crt); }
  ~certificate_chain() { mbedtls_x509_crt_free(&crt); }
  certificate_chain(const certificate_chain&) = delete;
  certificate_chain& operator=(const certificate_chain&) = delete;
  status parse(const std::string& pem, std::string_view what);
  mbedtls_x509_crt crt;
};

struct private_key {
  private_key() { mbedtls_pk_init(&pk); }
  ~private_key() { mbedtls_pk_free(&pk); }
  private_key(const private_key&) = delete;
  private_key& operator=(const private_key&) = delete;
  status parse(const std::string& pem, std::string_view what);
  mbedtls_pk_context pk;
};

wall_at to_wall(const mbedtls_x509_time& t);
std::string common_name(const mbedtls_x509_name& name);  // empty: none, several, or one with a control character
std::string sha256_hex(const mbedtls_x509_crt& crt);

}  // namespace tomoshibi::mbed
