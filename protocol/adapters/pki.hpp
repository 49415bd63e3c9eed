// The provider's own certificate authority: makes keys (P-256) and certificates (X.509 v3, ECDSA with SHA-256, random
// 16-byte serials). Used by tomoshibi-ctl and by tests. Errors: config_invalid (a request that cannot be met), tls_failed
// (Mbed TLS's text), storage_io and already_exists (files).
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi {

struct validity {
  wall_at from{};   // whole seconds count
  wall_at until{};
};

struct key_and_certificate {
  std::string certificate_pem;
  std::string key_pem;           // EC key (SEC 1), unencrypted: write it with write_secret_file
  std::string sha256;            // of the certificate's DER, lower-case hex
};

// A self-signed CA: may sign end certificates only (pathlen 0). `name` becomes its CN, 1..64 bytes of UTF-8.
result<key_and_certificate> make_ca(const std::string& name, validity valid);

struct server_certificate_request {
  std::string name;                      // CN
  std::vector<std::string> dns_names;    // at least one DNS name or IP address: clients check these, not the CN
  std::vector<std::string> ip_addresses;
  validity valid;
  std::string key_pem = {};              // for this key; empty: a new one is made
};
result<key_and_certificate> issue_server(const key_and_certificate& ca, const server_certificate_request& request);

// CN = the gateway's id, for client authentication only.
result<key_and_certificate> issue_gateway(const key_and_certificate& ca, const gateway_id& gateway, validity valid);

struct certificate_facts {
  std::string common_name;
  std::string issuer_common_name;
  std::string sha256;
  std::string serial;                    // lower-case hex
  validity valid;
  std::vector<std::string> dns_names;    // what the certificate is for, beside its CN
  std::vector<std::string> ip_addresses;
};
result<certificate_facts> read_certificate(const std::string& pem);

result<key_and_certificate> load_ca(const std::string& certificate_path, const std::string& key_path);

// Whole or not at all (temporary file, fsync, link); refuses to replace a file. Secret: mode 0600, else 0644.
status write_secret_file(const std::string& path, std::string_view text);
status write_public_file(const std::string& path, std::string_view text);
// For what changes: the old text or the new one, never neither.
status replace_secret_file(const std::string& path, std::string_view text);
status replace_public_file(const std::string& path, std::string_view text);

std::array<std::uint8_t, 32> sha256(byte_view data);

// Random bytes for keys and tokens from the kernel, by way of the DRBG.
result<bytes> random_bytes(std::size_t count);

}  // namespace tomoshibi
