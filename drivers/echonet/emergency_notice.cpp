#include "drivers/echonet/emergency_notice.hpp"

#include "drivers/echonet/classes.hpp"

namespace tomoshibi::drivers::echonet {

std::optional<reading> emergency_notice(std::string_view node, const frame_view& frame) {
  if (!is_emergency(frame.seoj.code())) return std::nullopt;
  const class_info& info = info_of(frame.seoj.code());
  for (const property_view p : frame.properties) {
    if (!decode_sensor(info, p.epc, p.edt).value_or(false)) continue;
    bytes object;
    put_u24(object, frame.seoj.value);
    reading out;
    out.device = std::string{node} + "/" + to_hex(object);
    out.eoj = frame.seoj.value;
    out.active = true;
    out.polled = false;
    out.announced = true;
    return out;
  }
  return std::nullopt;
}

}  // namespace tomoshibi::drivers::echonet
