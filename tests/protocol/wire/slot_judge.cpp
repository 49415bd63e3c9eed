#include "tests/protocol/wire/slot_judge.hpp"

#include "protocol/schema/tomoshibi.pb.h"

#include <pb_decode.h>

#include <algorithm>
#include <cstring>

namespace tomoshibi::wire {
namespace {

constexpr std::uint32_t on_seconds_max = 900, small_max = 65'535;

std::optional<appliance_slot> judged(const tomoshibi_v1_ApplianceSlot& p) {
  std::uint32_t state = 0;
  std::memcpy(&state, &p.state, sizeof state);  // the generated enum has no fixed type
  if (p.appliance < 1 || p.appliance > small_max || state < 1 || state > 3 || p.on_seconds > on_seconds_max ||
      p.readings_expected > small_max || p.readings_got > small_max) {
    return std::nullopt;
  }
  appliance_slot out;
  out.appliance = static_cast<appliance_id>(p.appliance);
  out.state = static_cast<slot_state>(state);
  out.on_seconds = static_cast<std::uint16_t>(p.on_seconds);
  if (p.has_energy_wh) out.energy_wh = p.energy_wh;
  out.energy_after_gap = p.energy_after_gap;
  out.readings_expected = static_cast<std::uint16_t>(p.readings_expected);
  out.readings_got = static_cast<std::uint16_t>(p.readings_got);
  return out;
}

bool ends_with(byte_view whole, byte_view end) {
  return whole.size() >= end.size() && std::ranges::equal(whole.last(end.size()), end);
}

}  // namespace

std::optional<slot_closed> judged_slot(byte_view data) {
  tomoshibi_v1_SlotClosed p{};
  pb_istream_t stream = pb_istream_from_buffer(data.data(), data.size());
  if (!pb_decode(&stream, tomoshibi_v1_SlotClosed_fields, &p) || p.slot < 0 || p.slot > slot_value_max) return std::nullopt;
  slot_closed out{.slot = slot_index{p.slot}, .time_uncertain = p.time_uncertain, .appliances = {}};
  for (std::size_t i = 0; i < p.appliance_count; ++i) {
    const auto one = judged(p.appliance[i]);
    if (!one) return std::nullopt;
    out.appliances.push_back(*one);
  }
  return out;
}

bool judge_agrees(byte_view data, const std::optional<slot_closed>& ours) {
  const auto theirs = judged_slot(data);
  if (ours || !theirs) return ours == theirs;
  return !ends_with(encode_record({*theirs, {}}), data);
}

}  // namespace tomoshibi::wire
