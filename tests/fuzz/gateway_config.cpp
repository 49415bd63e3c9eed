// The gateway's configuration file: any bytes give a configuration within its limits, or an error with words.
#include "firmware/core/watch.hpp"
#include "firmware/shell/config_file.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tomoshibi;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = firmware::read_gateway_config_text(text, "f");
  if (!read && read.error().detail.empty()) std::abort();
  if (!read) return 0;
  if (!firmware::check_config(read->watch)) std::abort();
  for (const auto& relay : read->relays)
    if (relay.host.empty() || relay.port == 0) std::abort();
  (void)firmware::replay_refusal(firmware::gateway_config{});
  return 0;
}
