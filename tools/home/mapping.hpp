// Which ECHONET Lite device each channel of a record becomes. A TOML file; docs/REPLAY.md shows one.
#pragma once

#include "drivers/echonet/eoj.hpp"
#include "protocol/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::home {

inline constexpr std::size_t nodes_max = 32;
inline constexpr std::size_t devices_max = 84;      // what one instance list can hold
inline constexpr std::uint32_t hold_s_max = 86'400;

struct mapped_node {
  std::string name;
  std::string address = "127.0.0.11";    // its own IPv4 address on this machine
  std::uint32_t number = 0;              // makes its identity (property 0x83); 0 = its place in the file
  std::uint32_t answer_delay_ms = 0;
};

enum class channel_meaning : std::uint8_t {
  event,   // value 1 says that something happened; the device is in use for hold_s from then on
  on_off,  // value 1: in use from here, 0: not in use from here
  watts,   // the value is the load; in use while it is above 0
};

struct mapped_device {
  std::string node;
  std::string eoj_text;
  drivers::echonet::eoj eoj;
  std::string channel;                   // empty: none, a button that is pressed by hand only
  channel_meaning meaning = channel_meaning::event;
  std::uint32_t hold_s = 60;
  bool announce = true;                  // tells changes by itself where its class leaves that open
  std::optional<std::uint32_t> watts_idle;
  std::optional<std::uint32_t> watts_used;
};

struct mapping {
  std::string interface;                 // for multicast; empty: the system's choice
  std::vector<mapped_node> nodes;
  std::vector<mapped_device> devices;
};

// Errors: config_invalid with "file:line: key: what is allowed", not_found.
result<mapping> read_mapping(const std::string& path);
result<mapping> parse_mapping(std::string_view toml, const std::string& file);
std::string mapping_sample();

// Device classes that can be played, as people call them: "television" is 0x0602.
struct playable_class {
  drivers::echonet::class_code code;
  std::string_view name;
};
std::vector<playable_class> playable_classes();

}  // namespace tomoshibi::home
