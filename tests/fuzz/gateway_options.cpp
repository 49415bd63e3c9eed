// The gateway's command line and the enrolment bundle's configuration: any words give options or a complaint, and what
// tomoshibi-ctl writes for a box is read by the box to the same address.
#include "firmware/shell/config_file.hpp"
#include "firmware/shell/options.hpp"
#include "protocol/adapters/guard_config.hpp"
#include "protocol/base/check.hpp"
#include "relay/ctl/gateway_bundle.hpp"
#include "tests/fuzz/input.hpp"

#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr const char* host_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";

void check_words(fuzz::input& in) {
  std::vector<std::string> words;
  for (auto n = in.below(8); n > 0; --n) words.push_back(in.text(40));
  for (auto& w : words) std::erase(w, '\0');  // a command line cannot hold one
  std::vector<char*> arguments;
  for (auto& w : words) arguments.push_back(w.data());
  const auto got = parse_options(arguments);
  if (!got) TOMO_REQUIRE(got.error().code == errc::config_invalid && !got.error().detail.empty());
  else TOMO_REQUIRE(!got->config_path.empty() || std::ranges::find(words, "") != words.end());
}

void check_address(const std::string& text) {
  const auto at = parse_host_port(text);
  const auto receiver = parse_guard_receiver("tls://" + text);
  TOMO_REQUIRE(at.has_value() == receiver.has_value() && !parse_guard_receiver(text.substr(0, text.find(':'))));
  if (at) TOMO_REQUIRE(receiver->secure && receiver->host == at->host && receiver->port == at->port);
  if (!at) return;
  TOMO_REQUIRE(!at->host.empty() && at->port != 0);
  // What `gateway enrol` takes as a host.
  if (at->host.size() > 253 || at->host.find_first_not_of(host_letters) != std::string::npos) return;
  const ctl::bundle b{.gateway = *gateway_id::parse("box-1"), .relay_host = at->host, .relay_port = at->port, .guard = {},
                      .ca_pem = "", .identity = {}};
  const auto read = read_gateway_config_text(ctl::gateway_configuration(b), "gateway.toml");
  TOMO_REQUIRE(read.has_value() && read->relays.size() == 1);
  TOMO_REQUIRE(read->relays[0].host == at->host && read->relays[0].port == at->port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  if (in.flag()) check_words(in);
  else check_address(std::string(as_text(in.rest())));
  return 0;
}
