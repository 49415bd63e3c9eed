// One TLS client connection as bytes in and bytes out, by our own engine or by OpenSSL.
//
// Ours is what gateways use: memory and cost at the relay depend on what it offers. OpenSSL's is what other makes of gateway
// use, and it is the client for both versions of TLS that the rival is measured with. Sessions are kept for each member, so that a
// later connection resumes where the server lets it.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "tools/bench.d/load/fleet.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::load {

class client_tls {
public:
  virtual ~client_tls() = default;
  virtual status feed(byte_view cipher) = 0;
  virtual status write(byte_view plain) = 0;
  virtual bytes take_output() = 0;
  virtual bytes take_plain() = 0;
  virtual bool open() const = 0;
  virtual bool resumed() const = 0;     // valid once open
};

class client_tls_maker {
public:
  virtual ~client_tls_maker() = default;
  virtual result<std::unique_ptr<client_tls>> start(std::size_t index) = 0;
};

struct client_tls_options {
  std::string kind;                     // "tomoshibi", "openssl12", "openssl13"
  std::string server_name;
  std::string ca_pem;
};
// Errors: config_invalid (unknown kind, or built without OpenSSL; certificates that cannot be used).
result<std::unique_ptr<client_tls_maker>> make_client_tls(const client_tls_options& options, const std::vector<member>& fleet);

// Each in its own file; OpenSSL's only where it is installed.
result<std::unique_ptr<client_tls_maker>> make_tomoshibi_tls(const client_tls_options& options, const std::vector<member>& fleet);
result<std::unique_ptr<client_tls_maker>> make_openssl_tls(const client_tls_options& options, const std::vector<member>& fleet);

}  // namespace tomoshibi::load
