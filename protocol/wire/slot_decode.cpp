#include "protocol/wire/slot_decode.hpp"

#include "protocol/wire/field_walker.hpp"

#include <limits>

namespace tomoshibi::wire {
namespace {

constexpr std::uint32_t on_seconds_max = 900;

template <class T>
bool take_number(const field& f, T& out, std::uint64_t max = std::numeric_limits<T>::max()) {
  if (f.kind != field_kind::number || f.number > max) return false;
  out = static_cast<T>(f.number);
  return true;
}

bool take_flag(const field& f, bool& out) {
  out = f.number != 0;
  return f.kind == field_kind::number && f.number <= 0xffff'ffff;  // as the generated codec
}

bool take_slot(const field& f, slot_index& out) {
  const std::int64_t value = signed_number(f.number);
  if (f.kind != field_kind::number || value < 0 || value > slot_value_max) return false;
  out.value = static_cast<std::int32_t>(value);
  return true;
}

bool take_appliance_field(const field& f, appliance_slot& v, std::uint16_t& id, std::uint8_t& state) {
  switch (f.tag) {
    case 1: return take_number(f, id);
    case 2: return take_number(f, state, static_cast<std::uint64_t>(slot_state::unknown));
    case 3: return take_number(f, v.on_seconds, on_seconds_max);
    case 4: return take_number(f, v.energy_wh.emplace());
    case 5: return take_flag(f, v.energy_after_gap);
    case 6: return take_number(f, v.readings_expected);
    case 7: return take_number(f, v.readings_got);
    default: return true;  // of a later version
  }
}

bool take_appliance(byte_view data, appliance_slot& v) {
  std::uint16_t id = 0;
  std::uint8_t state = 0;  // 0 is Protocol Buffers' "unspecified"
  field_walker walker{data};
  for (field f; walker.next(f);) {
    if (!take_appliance_field(f, v, id, state)) return false;
  }
  v.appliance = static_cast<appliance_id>(id);
  v.state = static_cast<slot_state>(state);
  return walker.ok() && id != 0 && state != 0;
}

bool take_next_appliance(const field& f, slot_closed& v) {
  if (f.kind != field_kind::part || v.appliances.size() >= appliances_max) return false;
  return take_appliance(f.part, v.appliances.emplace_back());
}

}  // namespace

bool decode_slot(byte_view data, slot_closed& v) {
  constexpr std::size_t appliances_often = 8;
  v.appliances.reserve(appliances_often);
  field_walker walker{data};
  for (field f; walker.next(f);) {
    bool fine = true;
    switch (f.tag) {
      case 1: fine = take_slot(f, v.slot); break;
      case 2: fine = take_flag(f, v.time_uncertain); break;
      case 3: fine = take_next_appliance(f, v); break;
      default: break;  // of a later version
    }
    if (!fine) return false;
  }
  return walker.ok();
}

}  // namespace tomoshibi::wire
