// A property value of any device of any class: a number within its documented range, or nothing. Judged by a second, plain
// reading of the tables: class, property, bytes in; no value ever comes from bytes of the wrong length.
#include "drivers/echonet/classes.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

namespace {

std::int64_t signed_of(byte_view edt) {
  std::int64_t v = 0;
  for (const std::uint8_t b : edt) v = v * 256 + b;
  const std::int64_t half = std::int64_t{1} << (8 * edt.size() - 1);
  return v >= half ? v - 2 * half : v;
}

const power_rule* power_of(const class_info& info, epc_code code) {
  for (const auto& rule : info.powers)
    if (code != 0 && rule.epc == code && rule.unit != power_unit::none) return &rule;
  return nullptr;
}

std::optional<std::int64_t> plain_power(const power_rule& rule, byte_view edt) {
  const std::size_t size = rule.unit == power_unit::watt_i32 ? 4 : 2;
  if (edt.size() != size) return std::nullopt;
  const std::int64_t v = signed_of(edt);
  switch (rule.unit) {
    case power_unit::watt_u16: return v == -1 || v == -2 ? std::nullopt : std::optional{v < 0 ? v + 65'536 : v};
    case power_unit::watt_i32: return v < -999'999'999 || v > 999'999'999 ? std::nullopt : std::optional{v};
    default: break;
  }
  if (v == -32'768 || v == 32'767 || v == 32'766) return std::nullopt;
  if (rule.unit == power_unit::hectowatt_i16) return v * 100;
  const std::int64_t size_of = v < 0 ? -v : v;
  return (v < 0 ? -1 : 1) * ((size_of + 5) / 10);
}

std::optional<bool> plain_sensor(const class_info& info, epc_code code, byte_view edt) {
  for (const auto& rule : info.sensors) {
    if (code == 0 || rule.epc != code) continue;
    if (edt.size() != 1) return std::nullopt;
    for (unsigned v = rule.first, bit = 1; v <= rule.last; ++v, bit <<= 1)
      if (v == edt[0]) return (rule.active_bits & bit) != 0;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const auto known = known_classes();
  const std::uint32_t pick = in.below(static_cast<std::uint32_t>(known.size()) + 1);
  const class_info& info = pick < known.size() ? info_of(known[pick].code) : info_of(in.u16());
  if (pick < known.size()) TOMO_REQUIRE(info.code == known[pick].code);
  std::optional<property_map> get;
  if (in.flag()) get = property_map::decode(in.part(17));
  const std::uint32_t which = in.below(4);
  const epc_code chosen[] = {sensor_epc_of(info, get), power_epc_of(info, get), energy_epc_of(info, get), in.u8()};
  for (std::size_t i = 0; i < 3; ++i) TOMO_REQUIRE(chosen[i] == 0 || !get || get->contains(chosen[i]));
  const epc_code code = chosen[which];
  const byte_view edt = in.rest();

  TOMO_REQUIRE(decode_sensor(info, code, edt) == plain_sensor(info, code, edt));
  TOMO_REQUIRE(!decode_sensor(info, code, edt) || is_sensor_epc(info, code));
  const auto* rule = power_of(info, code);
  const auto watts = decode_power(info, code, edt);
  const auto expected = rule ? plain_power(*rule, edt) : std::nullopt;
  TOMO_REQUIRE(watts.has_value() == expected.has_value() && (!watts || *watts == *expected));
  TOMO_REQUIRE(!watts || is_power_epc(info, code));
  const auto energy = decode_energy(edt);
  TOMO_REQUIRE(energy.has_value() == (edt.size() == 4 && signed_of(edt) >= 0 && signed_of(edt) <= 999'999'999));
  const auto on = decode_operation_status(edt);
  TOMO_REQUIRE(on.has_value() == (edt.size() == 1 && (edt[0] == 0x30 || edt[0] == 0x31)));
  const auto faulty = decode_fault(edt);
  TOMO_REQUIRE(faulty.has_value() == (edt.size() == 1 && (edt[0] == 0x41 || edt[0] == 0x42)));
  return 0;
}
