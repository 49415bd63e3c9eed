#include "relay/ports/emergency_book.hpp"

namespace tomoshibi::relay {

std::string_view name_of(trouble_kind kind) {
  switch (kind) {
    case trouble_kind::button_stuck: return "button_stuck";
    case trouble_kind::button_silent: return "button_silent";
    case trouble_kind::press_not_saved: return "press_not_saved";
    case trouble_kind::mains_lost: return "mains_lost";
    case trouble_kind::battery_low: return "battery_low";
    case trouble_kind::direct_path_down: return "direct_path_down";
  }
  return "unlisted";
}

std::string_view name_of(emergency_notice kind) {
  switch (kind) {
    case emergency_notice::press: return "press";
    case emergency_notice::press_accepted: return "press_accepted";
    case emergency_notice::press_not_accepted: return "press_not_accepted";
    case emergency_notice::press_no_centre: return "press_no_centre";
    case emergency_notice::trouble: return "trouble";
    case emergency_notice::trouble_ended: return "trouble_ended";
    case emergency_notice::event_refused: return "event_refused";
    case emergency_notice::dispatch: return "dispatch";
    case emergency_notice::dispatch_accepted: return "dispatch_accepted";
    case emergency_notice::dispatch_not_accepted: return "dispatch_not_accepted";
    case emergency_notice::drill_unanswered: return "drill_unanswered";
  }
  return "unlisted";
}

}  // namespace tomoshibi::relay
