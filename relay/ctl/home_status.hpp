// What the relay knows of a home at this moment, for status and its JSON.
#pragma once

#include "relay/ctl/registry.hpp"
#include "relay/ports/store.hpp"

namespace tomoshibi::ctl {

struct gateway_status {
  relay::gateway what;
  std::optional<relay::line> state;      // nothing: never connected
  wall_at since{};
  std::optional<wall_at> heard;
  std::string firmware_version;
  std::uint32_t config_version = 0;      // what it runs
};

struct home_status {
  relay::home what;
  std::uint32_t config_version = 0;      // what it is to run
  std::vector<gateway_status> gateways;
  std::optional<slot_index> newest_slot; // of any appliance
  std::int64_t episodes_open = 0;
  std::int64_t mails_queued = 0;
  std::int64_t mails_failed = 0;
};

result<home_status> read_status(registry& r, const relay::home& h);
std::string status_as_text(const home_status& s);
std::string status_as_json(const home_status& s);

}  // namespace tomoshibi::ctl
