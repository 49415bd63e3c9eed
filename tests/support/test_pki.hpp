// A certificate authority, a server and a gateway for tests: valid from 2026 to 2036.
#pragma once

#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/tls_engine.hpp"

namespace tomoshibi::testing {

inline constexpr wall_at certificates_from{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
inline constexpr wall_at certificates_until{std::chrono::sys_days{std::chrono::year{2036} / 1 / 1}};
inline constexpr wall_at certificates_used{std::chrono::sys_days{std::chrono::year{2030} / 1 / 1}};

class test_pki {
public:
  test_pki();
  const key_and_certificate& ca() const { return ca_; }
  // Certificate for relay.test, 127.0.0.1 and ::1.
  tls_identity server() const { return server_; }
  tls_identity gateway(const char* name = "box-1", wall_at from = certificates_from,
                       wall_at until = certificates_until) const;

private:
  key_and_certificate ca_;
  tls_identity server_;
};


tls_date_source at_date(wall_at t);

}  // namespace tomoshibi::testing
