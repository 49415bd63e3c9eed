// The gateway's configuration: gateway.toml, every key declared once (tomoshibi-gateway --print-config shows them all).
#pragma once

#include "firmware/shell/button_source.hpp"
#include "firmware/shell/direct_path.hpp"
#include "protocol/adapters/toml_reader.hpp"
#include "protocol/base/host_port.hpp"
#include "protocol/base/log.hpp"
#include "protocol/wire/messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

struct echonet_config {
  bool enabled = true;
  std::string interface;           // empty: what the system's routes choose
  std::string bind_address = "0.0.0.0";
};

struct box_config {
  box_button_config button;
  std::string power_folder = "/sys/class/power_supply";
};

// [emergency]: emergency buttons, the lane to the relay, the panel.
struct emergency_config {
  bool enabled = true;
  std::uint16_t port = 8444;            // of the lane, at the hosts of [relay]
  std::uint32_t direct_after_s = 5;     // 0: the gateway does not call the guard centre by itself
  std::uint32_t undelivered_after_s = 30;
  std::uint32_t button_period_s = 900;  // 0: buttons are not supervised
  std::string panel_file;               // empty: none
  std::string lamp_folder = "/sys/class/leds";
  std::string lamp_call, lamp_answer, lamp_fault, buzzer;  // empty: the box has none
};

struct gateway_config {
  std::string state_folder = "/var/lib/tomoshibi-gateway";
  log_level log = log_level::info;
  std::string certificate = "/etc/tomoshibi/gateway.pem";
  std::string key = "/etc/tomoshibi/gateway.key";
  std::string ca = "/etc/tomoshibi/ca.pem";
  std::vector<host_port> relays;  // tried in turn; empty: nothing is sent, the gateway keeps aggregating
  echonet_config echonet;
  box_config box;
  emergency_config emergency;
  direct_config direct;               // [guard]: the gateway's own way to the guard centre
  wire::config watch;                 // version 0: what the relay sends replaces it
};

// Every problem of the file at once: config_invalid; not_found.
result<gateway_config> read_gateway_config(const std::string& path);
result<gateway_config> read_gateway_config_text(std::string_view toml, const std::string& name_for_errors);
std::string sample_gateway_config();

// The keys in which two configurations differ, and whether a running gateway keeps the former value ("appliance" is all of
// the array).
std::vector<config_schema::difference> differences(const gateway_config& before, const gateway_config& after);

// What was opened at the start stays as it is: `fresh` gets the former values of all keys that are marked so.
void keep_at_start(const gateway_config& former, gateway_config& fresh);

// Why a replay clock is refused with this configuration; empty: every peer is on loopback (docs/adr/0002).
std::string replay_refusal(const gateway_config& c);

}  // namespace tomoshibi::firmware
