// The relay's configuration file: any bytes give a configuration within its limits, or complaints that name the file.
// Answers that must not depend on the text of an address (loopback or not) are asked too.
#include "protocol/base/bytes.hpp"
#include "protocol/base/check.hpp"
#include "relay/core/mail_address.hpp"
#include "relay/shell/config_file.hpp"

#include <arpa/inet.h>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

bool numeric(const std::string& text) {
  in6_addr any{};
  return inet_pton(AF_INET, text.c_str(), &any) == 1 || inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

void check(const relay_config& c) {
  TOMO_REQUIRE(numeric(c.device.listen) && numeric(c.pages.listen));
  TOMO_REQUIRE(c.device.connections_max >= 1 && c.device.connections_max <= 200'000);
  TOMO_REQUIRE(c.mail.port >= 1 && c.mail.timeout_s >= 5 && c.mail.timeout_s <= 600);
  TOMO_REQUIRE(check_mail_address(c.mail.from).has_value());
  TOMO_REQUIRE(c.mail.user.empty() == c.mail.password_file.empty());
  if (c.mail.security == mail_security::none && !c.mail.server.empty()) TOMO_REQUIRE(loopback_address(c.mail.server));
  if (replay_refusal(c).empty()) TOMO_REQUIRE(c.device.listen.starts_with("127.") || c.device.listen == "::1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  relay_config config;
  auto schema = relay_schema(config);
  const auto done = schema.read_text(as_text({data, size}), "relay.toml");
  if (done) check(config);
  else TOMO_REQUIRE(done.error().code == errc::config_invalid && done.error().detail.starts_with("relay.toml"));
  return 0;
}
