// The relay's configuration: relay.toml, every key declared once (tomoshibi-relay --print-config shows them all).
#pragma once

#include "protocol/adapters/guard_config.hpp"
#include "protocol/adapters/toml_reader.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/net.hpp"
#include "relay/shell/data_folder.hpp"

#include <cstdint>
#include <string>

namespace tomoshibi::relay {

enum class mail_security : std::uint8_t { starttls, tls, none };

struct device_config {
  std::string listen = "0.0.0.0";
  std::uint16_t port = 8443;
  std::string certificate;         // these three: empty = the one in the relay's folder
  std::string key;
  std::string ca;
  std::uint32_t connections_max = 25'000;
};

struct mail_config {
  std::string server;              // empty: no mail leaves; mails wait in the queue
  std::uint16_t port = 587;
  mail_security security = mail_security::starttls;
  std::string user;                // empty: no authentication
  std::string password_file;
  std::string ca_file;             // empty: the system's CAs
  std::string from = "tomoshibi@localhost";
  std::string from_name = "ともしび";
  std::uint32_t timeout_s = 60;
};

struct pages_config {
  bool enabled = true;
  std::string listen = "127.0.0.1";
  std::uint16_t port = 9464;
  std::string api_token_file;      // empty: there is no API
};

struct emergency_config {
  bool enabled = true;
  std::string listen = "0.0.0.0";
  std::uint16_t port = 8444;
  std::uint32_t connections_max = 25'000;
  std::string line_account;        // whose NULL asks whether the line to the guard centre lives; empty: nobody's
};

struct relay_config {
  device_config device;
  mail_config mail;
  pages_config pages;
  emergency_config emergency;
  guard_config guard;              // no receivers: presses reach the relay and no further
  std::string database;            // empty = the one in the relay's folder
  log_level log = log_level::info;
};

// The schema refers to `into` and must not outlive it.
config_schema relay_schema(relay_config& into);

// Fills what is empty from the folder. Missing file: not_found.
result<relay_config> read_relay_config(const std::string& path, const data_folder& folder);

// Every key at its default, files in the folder.
relay_config default_relay_config(const data_folder& folder);

// A port of [table] that cannot be opened, told with its keys: "device.listen, device.port: TCP 0.0.0.0:8443: Address already in use".
std::unexpected<error> cannot_listen(std::string_view table, error why);

// The keys in which two configurations differ, and whether a running relay keeps the former value.
std::vector<config_schema::difference> differences(relay_config before, relay_config after);

// What was opened at the start stays as it is: `fresh` gets the former values of all keys that are marked so.
void keep_at_start(const relay_config& former, relay_config& fresh);

// Why a replay clock is refused with this configuration; empty: it is allowed (every address is on loopback).
std::string replay_refusal(const relay_config& c);

bool loopback_address(const std::string& numeric_or_localhost);

}  // namespace tomoshibi::relay
