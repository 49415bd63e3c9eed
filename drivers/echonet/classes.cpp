#include "drivers/echonet/classes.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::drivers::echonet {

namespace {

constexpr std::uint32_t energy_wh_last = 999'999'999;
constexpr std::uint8_t status_on = 0x30;
constexpr std::uint8_t status_off = 0x31;
constexpr std::uint8_t fault_present = 0x41;
constexpr std::uint8_t fault_absent = 0x42;

constexpr power_rule superclass_power{epc::power, power_unit::watt_u16};

// 0x41 = yes, 0x42 = no: most detection states.
constexpr sensor_rule yes_no(epc_code epc) { return {epc, 0x41, 0x42, 0b01}; }

constexpr class_info sensor(class_code code, std::string_view name, bool event_like, sensor_rule first,
                            sensor_rule second = {}) {
  return {code, name, {first, second}, {superclass_power}, epc::energy, event_like};
}
constexpr class_info plain(class_code code, std::string_view name) {
  return {code, name, {}, {superclass_power}, epc::energy, false};
}

constexpr class_info superclass = plain(0, "device");

// Sorted by code.
constexpr std::array table{
    sensor(0x0001, "gas leak sensor", false, yes_no(0xb1)),
    sensor(0x0002, "crime prevention sensor", true, yes_no(0xb1)),
    sensor(0x0003, "emergency button", true, yes_no(0xb1)),
    sensor(0x0004, "first-aid sensor", true, yes_no(0xb1)),
    sensor(0x0007, "human detection sensor", true, yes_no(0xb1)),
    sensor(0x0008, "visitor sensor", true, yes_no(0xb1)),
    sensor(0x0009, "call sensor", true, yes_no(0xb1)),
    sensor(0x0019, "fire sensor", false, yes_no(0xb1)),
    // 0x84 and 0x85 of this class would be the sensor's own consumption: they are never read.
    class_info{0x0022,
               "electric energy sensor",
               {},
               {{0xe1, power_unit::watt_i32}, {0xe2, power_unit::deciwatt_i16}, {0xe3, power_unit::hectowatt_i16}},
               0xe0,
               false},
    sensor(0x0026, "micromotion sensor", true, yes_no(0xb1)),
    sensor(0x0027, "passage sensor", true, {0xe0, 0x30, 0x39, 0x3fe}),  // 31..38 direction, 39 direction unknown
    sensor(0x0028, "bed presence sensor", false, yes_no(0xb1)),
    sensor(0x0029, "open/close sensor", false, yes_no(0xb1), {0xe0, 0x30, 0x39, 0x3fe}),  // E0: 30 closed
    sensor(0x026f, "electric lock", false, yes_no(0xe3)),  // the door, not the bolt
    plain(0x0290, "general lighting"),
    plain(0x0291, "mono functional lighting"),
    sensor(0x03b2, "electric hot-water pot", true, yes_no(0xe2)),  // water is being dispensed
    sensor(0x03b7, "refrigerator", false, yes_no(0xb0)),           // any door open
    sensor(0x03b8, "microwave oven", false, {0xb1, 0x40, 0x47, 0b0110'0010}),  // 41 running, 45 preheating, 46 keeping
    sensor(0x03bb, "rice cooker", false, {0xb1, 0x41, 0x45, 0b01110}),         // 42 preheating, 43 cooking, 44 steaming
    sensor(0x03c5, "washing machine", false, yes_no(0xb0)),                    // lid
    sensor(0x03d3, "washer and dryer", false, yes_no(0xb0)),                   // lid
    plain(0x05fd, "switch (JEM-A/HA terminals)"),
    plain(0x0602, "television"),
};
static_assert(std::is_sorted(table.begin(), table.end(), [](auto& a, auto& b) { return a.code < b.code; }));

bool readable(epc_code epc, const std::optional<property_map>& get) {
  return epc != 0 && (!get.has_value() || get->contains(epc));
}

std::optional<std::uint32_t> unsigned_of(byte_view edt, std::size_t size) {
  if (edt.size() != size) return std::nullopt;
  byte_reader in{edt};
  return size == 2 ? in.u16() : in.u32();
}

std::optional<std::int32_t> decode_i16(byte_view edt) {
  const auto raw = unsigned_of(edt, 2);
  if (!raw || *raw == 0x8000 || *raw == 0x7fff || *raw == 0x7ffe) return std::nullopt;
  return static_cast<std::int16_t>(*raw);
}

constexpr std::int32_t tenth_rounded(std::int32_t v) { return v >= 0 ? (v + 5) / 10 : (v - 5) / 10; }

}  // namespace

std::span<const class_info> known_classes() { return table; }

const class_info& info_of(class_code code) {
  const auto at = std::lower_bound(table.begin(), table.end(), code,
                                   [](const class_info& a, class_code c) { return a.code < c; });
  return at != table.end() && at->code == code ? *at : superclass;
}

epc_code sensor_epc_of(const class_info& info, const std::optional<property_map>& get) {
  for (const sensor_rule& rule : info.sensors) {
    if (readable(rule.epc, get)) return rule.epc;
  }
  return 0;
}

epc_code power_epc_of(const class_info& info, const std::optional<property_map>& get) {
  for (const power_rule& rule : info.powers) {
    if (readable(rule.epc, get)) return rule.epc;
  }
  return 0;
}

epc_code energy_epc_of(const class_info& info, const std::optional<property_map>& get) {
  return readable(info.energy_epc, get) ? info.energy_epc : epc_code{0};
}

std::optional<bool> decode_operation_status(byte_view edt) {
  if (edt.size() != 1 || (edt[0] != status_on && edt[0] != status_off)) return std::nullopt;
  return edt[0] == status_on;
}

std::optional<bool> decode_sensor(const class_info& info, epc_code epc, byte_view edt) {
  for (const sensor_rule& rule : info.sensors) {
    if (rule.epc != epc || rule.epc == 0) continue;
    if (edt.size() != 1 || edt[0] < rule.first || edt[0] > rule.last) return std::nullopt;
    return (rule.active_bits >> (edt[0] - rule.first) & 1) != 0;
  }
  return std::nullopt;
}

std::optional<std::int32_t> decode_power(const class_info& info, epc_code epc, byte_view edt) {
  for (const power_rule& rule : info.powers) {
    if (rule.epc != epc) continue;
    switch (rule.unit) {
      case power_unit::none: break;
      case power_unit::watt_u16: {
        const auto raw = unsigned_of(edt, 2);
        if (!raw || *raw >= 0xfffe) return std::nullopt;
        return static_cast<std::int32_t>(*raw);
      }
      case power_unit::watt_i32: {
        const auto raw = unsigned_of(edt, 4);
        if (!raw) return std::nullopt;
        const auto watts = static_cast<std::int32_t>(*raw);
        if (watts < -999'999'999 || watts > 999'999'999) return std::nullopt;
        return watts;
      }
      case power_unit::deciwatt_i16: {
        const auto raw = decode_i16(edt);
        if (!raw) return std::nullopt;
        return tenth_rounded(*raw);
      }
      case power_unit::hectowatt_i16: {
        const auto raw = decode_i16(edt);
        if (!raw) return std::nullopt;
        return *raw * 100;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> decode_energy(byte_view edt) {
  const auto raw = unsigned_of(edt, 4);
  if (!raw || *raw > energy_wh_last) return std::nullopt;
  return *raw;
}

std::optional<bool> decode_fault(byte_view edt) {
  if (edt.size() != 1 || (edt[0] != fault_present && edt[0] != fault_absent)) return std::nullopt;
  return edt[0] == fault_present;
}

bool is_sensor_epc(const class_info& info, epc_code epc) {
  return std::any_of(std::begin(info.sensors), std::end(info.sensors),
                     [epc](const sensor_rule& r) { return r.epc == epc && epc != 0; });
}

bool is_power_epc(const class_info& info, epc_code epc) {
  return std::any_of(std::begin(info.powers), std::end(info.powers),
                     [epc](const power_rule& r) { return r.epc == epc && epc != 0; });
}

}  // namespace tomoshibi::drivers::echonet
