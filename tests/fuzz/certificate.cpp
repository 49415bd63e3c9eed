// Certificates and keys from files that a person or another program made: read to facts, or refused with words. The first
// byte chooses: PEM text as it is, DER (wrapped in PEM here, so that the fuzzer need not guess base64), or a key.
#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/base/check.hpp"
#include "relay/core/base64.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/test_pki.hpp"

using namespace tomoshibi;

namespace {

const testing::test_pki& pki() {
  static const testing::test_pki made;
  return made;
}

std::string pem(const char* kind, byte_view der) {
  std::string out = "-----BEGIN " + std::string(kind) + "-----\n";
  const std::string text = relay::base64(der);
  for (std::size_t at = 0; at < text.size(); at += 64) out += text.substr(at, 64) + "\n";
  return out + "-----END " + kind + "-----\n";
}

bool lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void check_certificate(const std::string& text) {
  const auto facts = read_certificate(text);
  if (!facts) {
    TOMO_REQUIRE(!facts.error().detail.empty());
    return;
  }
  TOMO_REQUIRE(facts->sha256.size() == 64 && lower_hex(facts->sha256) && lower_hex(facts->serial));
  (void)gateway_id::parse(facts->common_name);
}

// Whatever the files say, a context is made or refused; a context that was made can begin to talk.
void check_identity(const tls_identity& identity) {
  const auto date = testing::at_date(testing::certificates_used);
  for (const bool server : {true, false}) {
    const auto context = server ? make_tls_server(identity, date) : make_tls_client(identity, date);
    if (!context) continue;
    auto engine = tls_engine::start(*context, server ? "" : "relay.test");
    if (engine) (void)engine->take_output();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const std::uint32_t what = in.below(6);
  tls_identity identity = pki().server();
  const byte_view rest = in.rest();
  switch (what) {
    case 0: check_certificate(std::string(as_text(rest))); return 0;
    case 1: check_certificate(pem("CERTIFICATE", rest)); return 0;
    case 2: identity.certificate_pem = pem("CERTIFICATE", rest); break;
    case 3: identity.key_pem = pem("EC PRIVATE KEY", rest); break;
    case 4: identity.key_pem = as_text(rest); break;
    default: identity.ca_pem = pem("CERTIFICATE", rest); break;
  }
  check_identity(identity);
  return 0;
}
