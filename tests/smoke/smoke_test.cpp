// Goal: each compiler and each third-party library is there, in the version that we rely on, and answers.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <expected>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <psa/crypto.h>
#include <sqlite3.h>
#include <toml++/toml.h>

#include "tests/smoke/smoke.pb.h"

namespace {

std::expected<int, int> half(int value) {
  if (value % 2 != 0) return std::unexpected(value);
  return value / 2;
}

TEST_CASE("std::expected works with this compiler") {
  CHECK(half(4).value_or(0) == 2);
  CHECK(half(3).error() == 3);
}

TEST_CASE("a message survives encoding and decoding") {
  smoke_ping sent = smoke_ping_init_zero;
  sent.sequence = 7;
  sent.has_temperature_centidegree = true;
  sent.temperature_centidegree = -250;
  std::array<pb_byte_t, smoke_ping_size> bytes{};
  pb_ostream_t out = pb_ostream_from_buffer(bytes.data(), bytes.size());
  REQUIRE(pb_encode(&out, smoke_ping_fields, &sent));

  smoke_ping received = smoke_ping_init_zero;
  pb_istream_t in = pb_istream_from_buffer(bytes.data(), out.bytes_written);
  REQUIRE(pb_decode(&in, smoke_ping_fields, &received));
  CHECK(received.sequence == 7);
  CHECK(received.temperature_centidegree == -250);
}

TEST_CASE("SQLite is ours and has our options") {
  CHECK(sqlite3_libversion_number() == SQLITE_VERSION_NUMBER);
  CHECK(sqlite3_compileoption_used("OMIT_LOAD_EXTENSION") == 1);
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "create table t(a) strict", nullptr, nullptr, nullptr) != SQLITE_OK);
  CHECK(sqlite3_exec(db, "create table t(a integer) strict", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

TEST_CASE("Mbed TLS offers TLS 1.3") {
  CHECK((mbedtls_version_get_number() >> 16) == 0x0306);
  REQUIRE(psa_crypto_init() == PSA_SUCCESS);
  mbedtls_ssl_config config;
  mbedtls_ssl_config_init(&config);
  CHECK(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) == 0);
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_config_free(&config);
  mbedtls_psa_crypto_free();
}

TEST_CASE("a TOML error is a value") {
  CHECK(toml::parse("a = 1").succeeded());
  CHECK(toml::parse("a = ").failed());
}

}  // namespace
