// Who there is: homes, their gateways, appliances and contacts, as the provider registered them.
//
// Loaded whole from the store at start and again after tomoshibi-ctl changed something; a value, replaced in one step.
#pragma once

#include "protocol/base/ids.hpp"
#include "protocol/base/slot.hpp"
#include "protocol/wire/messages.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::relay {

enum class language : std::uint8_t { ja, en };
enum class contact_role : std::uint8_t { family, provider };

struct quiet_hours {               // minutes after local midnight; from == until means none; may span midnight
  std::uint16_t from_min = 0;
  std::uint16_t until_min = 0;
  bool operator==(const quiet_hours&) const = default;
};

struct home {
  home_id id{};
  std::string name;                // shown in mails and pages, UTF-8, <= 80 bytes
  std::int32_t zone_min = 540;     // offset from UTC in minutes, a multiple of 15 (docs/adr: fixed offsets)
  bool watch_mode = false;
  wall_at watch_since{};           // when watch mode was last switched on: quiet is counted from here at the earliest
  millis blind_family_after{6 * 3'600'000};
  millis blind_provider_after{3'600'000};
};

struct appliance {
  home_id home{};
  wire::watched_appliance spec;    // id, label, object, what counts as ON
  std::optional<std::uint16_t> quiet_days;  // watch rule: alert after so many days without use, 1..60; nothing = no rule
  wall_at added{};
};

struct gateway {
  gateway_id id;
  home_id home{};
  bool revoked = false;
  std::string certificate_sha256;  // lower-case hex of the DER; empty = none issued yet
};

struct contact {
  contact_id id{};
  std::optional<home_id> home;     // nothing = the provider's own
  contact_role role = contact_role::family;
  std::string name;
  std::string address;             // checked mail address
  language lang = language::ja;
  quiet_hours quiet;
};

// How a home is known at the guard centre. The key stays in memory: no log, page, mail, answer or export ever shows it.
struct guard_account {
  std::string account;             // 3..16 upper-case hexadecimal digits, of no other home
  std::string key_hex;             // 32, 48 or 64 lower-case hexadecimal digits (AES); empty: plain frames
  bool send_inactivity = false;    // whether the three-day alert goes to the centre too
  bool operator==(const guard_account&) const = default;
};

struct directory {
  std::map<home_id, home> homes;
  std::map<gateway_id, gateway> gateways;
  std::map<std::pair<home_id, appliance_id>, appliance> appliances;
  std::map<contact_id, contact> contacts;
  std::map<home_id, guard_account> guards;  // a home without one has no guard centre
  std::map<home_id, wire::config> configs;  // what each home's gateway is to run, version counted up on each change
};

}  // namespace tomoshibi::relay
