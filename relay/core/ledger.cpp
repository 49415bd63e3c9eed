#include "relay/core/ledger.hpp"

namespace tomoshibi::relay {

bool replaces(const slot_cell& stored, const slot_cell& arrived) {
  if (!arrived.present) return false;
  return !stored.present || (stored.time_uncertain && !arrived.time_uncertain);
}

slot_cell cell_from(const wire::slot_closed& slot, const wire::appliance_slot& a) {
  return {.present = true,
          .state = a.state,
          .time_uncertain = slot.time_uncertain,
          .on_seconds = a.on_seconds,
          .energy_wh = a.energy_wh,
          .energy_after_gap = a.energy_after_gap,
          .readings_expected = a.readings_expected,
          .readings_got = a.readings_got};
}

slot_cell cell_from(const wire::slot_gap& gap) {
  slot_cell cell;
  cell.present = true;
  cell.time_uncertain = gap.time_uncertain;
  return cell;
}

std::string_view name_of(episode_kind kind) {
  switch (kind) {
    case episode_kind::unused: return "unused";
    case episode_kind::blind_family: return "blind_family";
    case episode_kind::blind_provider: return "blind_provider";
    case episode_kind::device_fault: return "device_fault";
    case episode_kind::device_silent: return "device_silent";
  }
  return "unlisted";
}

std::string_view name_of(blind_cause cause) {
  switch (cause) {
    case blind_cause::none: return "none";
    case blind_cause::line_down: return "line_down";
    case blind_cause::gateway_off: return "gateway_off";
    case blind_cause::device_silent: return "device_silent";
    case blind_cause::relay_off: return "relay_off";
    case blind_cause::no_data: return "no_data";
  }
  return "unlisted";
}

}  // namespace tomoshibi::relay
