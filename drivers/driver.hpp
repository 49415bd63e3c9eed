// A driver: one device family's side of the home network, without a socket, a sleep or a clock.
//
// The gateway hands it datagrams and wake-ups; it answers with datagrams to send and with observations. A new family is
// one file with its class and `driver_info`, one line in registry.cpp, and a twin (the device's side, for tests and the
// simulator). Turn rules: single-threaded, outputs are drained by the caller at the end of the turn, no re-entry.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/net.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tomoshibi::drivers {

// A device object in the home, stable over address changes:
//   "<node identity>/<eoj>"   node identity = 34 hex digits of ECHONET property 0x83, or "ip:<address>" where the node
//                             has none, an all-zero one, or one that another address also claims; eoj = 6 hex digits.
using device_key = std::string;

// What the gateway wants read. Instance byte 0 of eoj = any instance; empty node = any node.
struct watch {
  std::string node;
  std::uint32_t eoj = 0;
  bool wants_operation_status = true;
  bool wants_power = false;        // instantaneous W
  bool wants_energy = true;        // cumulative Wh, where the device has a counter
  bool wants_sensor_state = false; // the class's own detection / door / press state
};

struct read_plan {
  millis poll_interval{60'000};
  std::vector<watch> watches;
};

// ---- observations

// What was read, told when it arrived: an answer that comes in parts is told in parts, because what is on in one part may be
// announced off before the last part is there. At least one value is present, or `told` names one. Values that a device
// marks as "no value" are absent, never numbers.
struct reading {
  device_key device;
  std::uint32_t eoj = 0;
  std::optional<bool> operating;        // 0x80
  std::optional<bool> active;           // sensor state: motion, door open, pressed
  std::optional<std::int32_t> power_w;
  std::optional<std::uint32_t> energy_wh;  // counter, wraps at 1'000'000'000
  bool polled = true;                   // the end of a poll; false: announced, or a part of a poll that still runs
  bool announced = false;               // the device spoke by itself
  bool doubted = false;                 // an emergency button was found pressed, maybe because it starts so; `active` is absent
  struct {
    bool operating = false;
    bool active = false;
    bool power_w = false;
    bool any() const { return operating || active || power_w; }
  } told;                               // polled: what earlier parts of this poll have told
};
// A poll that should have given a reading and, after its retries, did not.
struct reading_missed {
  device_key device;
  std::uint32_t eoj = 0;
};
enum class presence_change : std::uint8_t { found, moved, silent, back };
struct device_presence {
  device_key device;
  std::uint32_t eoj = 0;
  presence_change change = presence_change::found;
  std::uint32_t maker = 0;
  mono_time since{};                    // silent: when it was last heard
};
struct device_fault {
  device_key device;
  std::uint32_t eoj = 0;
  bool faulty = false;
  std::uint16_t description = 0;        // 0x89, 0 = not given
};

using observation = std::variant<reading, reading_missed, device_presence, device_fault>;

struct datagram {
  std::optional<endpoint> to;           // nothing = the family's multicast group
  bytes payload;
};

struct driver_output {
  std::vector<datagram> datagrams;
  std::vector<observation> observations;
};

class driver {
public:
  virtual ~driver() = default;
  virtual void on_start(mono_time now, driver_output& out) = 0;
  virtual void on_plan(mono_time now, const read_plan& plan, driver_output& out) = 0;  // replaces the former plan
  virtual void on_datagram(mono_time now, const endpoint& from, byte_view payload, driver_output& out) = 0;
  virtual void on_wake(mono_time now, driver_output& out) = 0;
  virtual mono_time next_wake() const = 0;
  virtual void log_statistics() const {}  // one line for each device or node; asked for now and then
};

// What a driver is made from. `identity` is this gateway's own 13-byte unique part (ECHONET 0x83), from its key.
struct driver_setup {
  std::uint64_t seed = 0;
  std::array<std::uint8_t, 13> identity{};
  log_sink* log = nullptr;
};

struct driver_info {
  std::string_view name;                // "echonet"
  std::uint16_t udp_port = 0;           // bound for both directions
  std::string_view multicast_group_v4;  // joined on the configured interface
  std::unique_ptr<driver> (*make)(const driver_setup&) = nullptr;
};

}  // namespace tomoshibi::drivers
