#include "tests/support/test_pki.hpp"

#include <cstdio>
#include <cstdlib>

namespace tomoshibi::testing {
namespace {

// A test without certificates cannot go on.
key_and_certificate must(result<key_and_certificate> made) {
  if (made) return std::move(*made);
  std::fprintf(stderr, "test certificates: %s\n", made.error().detail.c_str());
  std::abort();
}

}  // namespace

test_pki::test_pki() : ca_(must(make_ca("Test CA", {certificates_from, certificates_until}))) {
  const server_certificate_request request{.name = "relay.test",
                                           .dns_names = {"relay.test"},
                                           .ip_addresses = {"127.0.0.1", "::1"},
                                           .valid = {certificates_from, certificates_until}};
  const auto made = must(issue_server(ca_, request));
  server_ = {made.certificate_pem, made.key_pem, ca_.certificate_pem};
}

tls_identity test_pki::gateway(const char* name, wall_at from, wall_at until) const {
  const auto made = must(issue_gateway(ca_, *gateway_id::parse(name), {from, until}));
  return {made.certificate_pem, made.key_pem, ca_.certificate_pem};
}

tls_date_source at_date(wall_at t) {
  return [t] { return std::optional{t}; };
}

}  // namespace tomoshibi::testing
