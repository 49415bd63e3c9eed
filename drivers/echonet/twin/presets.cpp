#include "drivers/echonet/twin/presets.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::drivers::echonet::twin {

namespace {

struct preset {
  class_code code = 0;
  use_property use;
  bool always_on = false;  // operation status stays 0x30: sensors, refrigerators
  bool announced = true;   // the class demands that its use is announced
  bool metered = false;
  std::uint32_t watts_idle = 0;
  std::uint32_t watts_used = 0;
};

constexpr use_property by_status{};
constexpr use_property yes_no(epc_code epc) { return {epc, 0x41, 0x42}; }

constexpr std::array presets{
    preset{0x0003, yes_no(0xb1), true},
    preset{0x0004, yes_no(0xb1), true},
    preset{0x0007, yes_no(0xb1), true},
    preset{0x0022, by_status, true, true, true, 0, 60},
    preset{0x0026, yes_no(0xb1), true},
    preset{0x0027, {0xe0, 0x39, 0x30}, true},
    preset{0x0028, yes_no(0xb1), true},
    preset{0x0029, yes_no(0xb1), true},
    preset{0x026f, yes_no(0xe3), true, false},
    preset{0x0290, by_status},
    preset{0x03b2, yes_no(0xe2), true},
    preset{0x03b7, yes_no(0xb0), true, false, true, 100, 100},
    preset{0x03b8, {0xb1, 0x41, 0x40}, true, false, true, 1, 1000},
    preset{0x03bb, {0xb1, 0x43, 0x41}, true, false, true, 1, 600},
    preset{0x05fd, by_status, false, true, true, 0, 60},
    preset{0x0602, by_status, false, true, true, 0, 90},
};

constexpr preset unknown_class{};

const preset& preset_of(class_code code) {
  const auto at = std::find_if(presets.begin(), presets.end(), [code](const preset& p) { return p.code == code; });
  return at != presets.end() ? *at : unknown_class;
}

std::array<std::uint8_t, 3> three_bytes(std::uint32_t v) {
  return {static_cast<std::uint8_t>(v >> 16), static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}

}  // namespace

void define_profile(twin_object& profile, byte_view identity, std::uint32_t maker) {
  profile.define(epc::operation_status, can_get | can_inf, {0x30});
  profile.define(epc::standard_version, can_get, {0x01, 0x0d, 0x01, 0x00});
  profile.define(epc::identification, can_get, identity);
  profile.define(epc::maker, can_get, three_bytes(maker));
  for (const epc_code map : {epc::inf_map, epc::set_map, epc::get_map}) profile.define(map, can_get, {});
  for (const epc_code list : {epc::instance_count, epc::class_count, epc::instance_list, epc::class_list}) {
    profile.define(list, can_get, {});
  }
  profile.define(epc::instance_list_notification, can_inf, {});
}

void define_device(twin_object& object, std::uint32_t maker) {
  const preset& p = preset_of(object.id().code());
  const bool settable = p.use.epc == epc::operation_status && !p.always_on;
  const std::uint8_t status = p.always_on ? 0x30 : 0x31;
  object.define(epc::operation_status, settable ? can_get | can_set | can_inf : can_get | can_inf, {status});
  object.define(epc::installation_location, can_get | can_set | can_inf, {0x00});
  object.define(epc::standard_version, can_get, {0x00, 0x00, 'R', 0x01});
  object.define(epc::fault_status, can_get | can_inf, {0x42});
  object.define(epc::fault_description, can_get, {0x00, 0x00});
  object.define(epc::maker, can_get, three_bytes(maker));
  for (const epc_code map : {epc::inf_map, epc::set_map, epc::get_map}) object.define(map, can_get, {});
  if (p.use.epc != epc::operation_status) {
    object.define(p.use.epc, p.announced ? can_get | can_inf : can_get, {p.use.unused});
  }
  if (p.metered) object.make_metered(p.watts_idle, p.watts_used);
}

use_property use_of(class_code code) { return preset_of(code).use; }

}  // namespace tomoshibi::drivers::echonet::twin
