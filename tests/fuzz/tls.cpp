// What an unknown peer sends to the device channel before it has shown who it is, and what a relay that is none sends to a
// gateway. Randomness of the other side is real, so only what comes before the first secret is explored; nothing may
// crash, and nobody may be let in, ticket or not. The first byte chooses the side, the second how the bytes are cut.
#include "protocol/adapters/tls_engine.hpp"
#include "tests/support/test_pki.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace tomoshibi;

// The same in every run: what is explored must not depend on the ring.
std::shared_ptr<const ticket_keys> sealing() {
  ticket_keys ring;
  ticket_key::secret_bytes secret{};
  secret.fill(0x5a);
  ring.turn(testing::certificates_used, secret);
  return std::make_shared<const ticket_keys>(std::move(ring));
}

tls_context_ptr context_of(bool server) {
  static const testing::test_pki pki;
  static const auto date = testing::at_date(testing::certificates_used);
  static const auto listening = make_tls_server(pki.server(), date, sealing());
  static const auto dialling = make_tls_client(pki.gateway(), date);
  if (!listening || !dialling) std::abort();
  return server ? *listening : *dialling;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool server = (data[0] & 1) == 0;
  const std::size_t piece = 1 + data[1];
  auto engine = tls_engine::start(context_of(server), server ? "" : "relay.test");
  if (!engine) std::abort();
  for (byte_view rest{data + 2, size - 2}; !rest.empty();) {
    const std::size_t n = std::min(piece, rest.size());
    const auto fed = engine->feed(rest.first(n));
    (void)engine->take_output();
    if (engine->open() || !engine->take_plain().empty()) std::abort();
    if (!fed) return 0;
    rest = rest.subspan(n);
  }
  return 0;
}
