// ECHONET object codes: class group, class and instance in three bytes, and the codes this program names.
// Source: ECHONET Lite specification Ver.1.14 part 2, Appendix "Detailed requirements for device objects" release R.
#pragma once

#include <compare>
#include <cstdint>

namespace tomoshibi::drivers::echonet {

using epc_code = std::uint8_t;     // property code, 0x80..0xFF
using class_code = std::uint16_t;  // class group << 8 | class

struct eoj {
  std::uint32_t value = 0;  // 24 bits: group, class, instance

  constexpr class_code code() const { return static_cast<class_code>(value >> 8); }
  constexpr std::uint8_t instance() const { return static_cast<std::uint8_t>(value); }
  // Instance 0 in an address means "every instance of that class in the node".
  constexpr bool addresses(eoj other) const {
    return value == other.value || (instance() == 0 && code() == other.code());
  }
  friend constexpr auto operator<=>(eoj, eoj) = default;
};

constexpr eoj make_eoj(class_code code, std::uint8_t instance) {
  return {static_cast<std::uint32_t>(code) << 8 | instance};
}

inline constexpr class_code node_profile_class = 0x0ef0;
inline constexpr eoj node_profile = make_eoj(node_profile_class, 1);
inline constexpr eoj controller = make_eoj(0x05ff, 1);

namespace epc {
// Every device object.
inline constexpr epc_code operation_status = 0x80;
inline constexpr epc_code installation_location = 0x81;
inline constexpr epc_code standard_version = 0x82;
inline constexpr epc_code identification = 0x83;
inline constexpr epc_code power = 0x84;             // W, 2 bytes
inline constexpr epc_code energy = 0x85;            // Wh, 4 bytes
inline constexpr epc_code fault_status = 0x88;
inline constexpr epc_code fault_description = 0x89;
inline constexpr epc_code maker = 0x8a;
inline constexpr epc_code inf_map = 0x9d;
inline constexpr epc_code set_map = 0x9e;
inline constexpr epc_code get_map = 0x9f;
// Node profile.
inline constexpr epc_code instance_count = 0xd3;
inline constexpr epc_code class_count = 0xd4;
inline constexpr epc_code instance_list_notification = 0xd5;
inline constexpr epc_code instance_list = 0xd6;
inline constexpr epc_code class_list = 0xd7;
}  // namespace epc

}  // namespace tomoshibi::drivers::echonet
