// What each known device class says about use: which property carries its sensor state, its power and its energy, and how
// the bytes decode. docs/DRIVERS.md has the table in words. Source: MRA 1.3.1 (appendix release R); for the classes
// that MRA lacks, appendix release K.
//
// Every "no value" marker (overflow, underflow, no data) and every value outside the documented range decodes to nothing.
#pragma once

#include "drivers/echonet/eoj.hpp"
#include "drivers/echonet/property_map.hpp"
#include "protocol/base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tomoshibi::drivers::echonet {

// One byte: first..last are meaningful; bit (value - first) of active_bits says whether the value means "active".
struct sensor_rule {
  epc_code epc = 0;
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  std::uint16_t active_bits = 0;
};

enum class power_unit : std::uint8_t { none, watt_u16, watt_i32, deciwatt_i16, hectowatt_i16 };
struct power_rule {
  epc_code epc = 0;
  power_unit unit = power_unit::none;
};

inline constexpr std::size_t sensor_rules_max = 2;
inline constexpr std::size_t power_rules_max = 3;

struct class_info {
  class_code code = 0;
  std::string_view name;  // English, for documents and logs
  sensor_rule sensors[sensor_rules_max] = {};  // in order of preference: the first one that the device can read counts
  power_rule powers[power_rules_max] = {};
  epc_code energy_epc = 0;  // 4 bytes, 0.001 kWh
  // A press or a movement is an event: real nodes report it as present when they start. The first state that such a
  // device shows when polled is believed only if it is "inactive".
  bool event_like = false;
};

// Emergency button and first-aid sensor: what they announce does not wait until it is known who speaks.
constexpr bool is_emergency(class_code code) { return code == 0x0003 || code == 0x0004; }

// A class that is not in the table gets the superclass alone: operation status, 0x84, 0x85.
const class_info& info_of(class_code code);
std::span<const class_info> known_classes();

// Which property to read from this object, given its Get map; 0 if there is none. `get` absent: the map is not known,
// and the class's first choice is taken.
epc_code sensor_epc_of(const class_info& info, const std::optional<property_map>& get);
epc_code power_epc_of(const class_info& info, const std::optional<property_map>& get);
epc_code energy_epc_of(const class_info& info, const std::optional<property_map>& get);

std::optional<bool> decode_operation_status(byte_view edt);
std::optional<bool> decode_sensor(const class_info& info, epc_code epc, byte_view edt);
std::optional<std::int32_t> decode_power(const class_info& info, epc_code epc, byte_view edt);  // W, rounded
std::optional<std::uint32_t> decode_energy(byte_view edt);                                      // Wh, 0..999'999'999
std::optional<bool> decode_fault(byte_view edt);

// Which of the object's properties carry one of the values above.
bool is_sensor_epc(const class_info& info, epc_code epc);
bool is_power_epc(const class_info& info, epc_code epc);

}  // namespace tomoshibi::drivers::echonet
