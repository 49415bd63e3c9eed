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

std::string_view words_of(book_loss loss) {
  switch (loss) {
    case book_loss::none: return "the emergency book is whole";
    case book_loss::unreadable:
      return "emergency.db could not be read and was begun anew, the former lies beside it as .corrupt: requests for a visit and reports "
             "in it are lost; gateways send their presses again";
    case book_loss::missing:
      return "emergency.db was gone or empty and was begun anew: requests for a visit and reports in it are lost; gateways send their "
             "presses again";
    case book_loss::another:
      return "emergency.db is not the book of the last start: requests for a visit and reports since then may be missing";
    case book_loss::log_missing:
      return "emergency.db was without its log (emergency.db-wal): what was written last may be lost; gateways send their presses again";
  }
  return "unlisted";
}

}  // namespace tomoshibi::relay
