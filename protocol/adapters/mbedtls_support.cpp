#include "protocol/adapters/mbedtls_support.hpp"

#include <array>
#include <cstring>
#include <mbedtls/asn1.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/sha256.h>
#include <psa/crypto.h>

namespace tomoshibi::mbed {

status start() {
  static const psa_status_t started = psa_crypto_init();
  if (started != PSA_SUCCESS) return fail(errc::tls_failed, "cannot start the cryptography: " + std::to_string(started));
  return {};
}

int random(void*, unsigned char* out, std::size_t size) {
  return psa_generate_random(out, size) == PSA_SUCCESS ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

std::unexpected<error> failed(int code, std::string_view doing, errc as) {
  char text[160];
  mbedtls_strerror(code, text, sizeof text);
  return fail(as, std::string(doing) + ": " + text);
}

status certificate_chain::parse(const std::string& pem, std::string_view what) {
  // PEM wants its terminating zero counted. A positive answer counts certificates that could not be read.
  const int rc = mbedtls_x509_crt_parse(&crt, reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1);
  if (rc > 0) return fail(errc::config_invalid, std::string(what) + ": a certificate in it cannot be read");
  if (rc < 0) return failed(rc, what, errc::config_invalid);
  return {};
}

status private_key::parse(const std::string& pem, std::string_view what) {
  const int rc = mbedtls_pk_parse_key(&pk, reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1, nullptr,
                                      0, random, nullptr);
  if (rc != 0) return failed(rc, what, errc::config_invalid);
  return {};
}

wall_at to_wall(const mbedtls_x509_time& t) {
  using namespace std::chrono;
  const year_month_day date{year{t.year}, month{static_cast<unsigned>(t.mon)}, day{static_cast<unsigned>(t.day)}};
  return wall_at{sys_days{date}} + hours{t.hour} + minutes{t.min} + seconds{t.sec};
}

std::string common_name(const mbedtls_x509_name& name) {
  std::string found;
  for (const mbedtls_x509_name* part = &name; part != nullptr; part = part->next) {
    if (part->oid.p == nullptr || MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) != 0) continue;
    if (!found.empty()) return {};
    found.assign(reinterpret_cast<const char*>(part->val.p), part->val.len);
  }
  for (char c : found)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return {};
  return found;
}

std::string sha256_hex(const mbedtls_x509_crt& crt) {
  std::array<std::uint8_t, 32> digest{};
  mbedtls_sha256(crt.raw.p, crt.raw.len, digest.data(), 0);
  return to_hex(digest);
}

}  // namespace tomoshibi::mbed
