#include "relay/core/emergency/emergency_text.hpp"

#include "relay/core/emergency/emergency_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay {

using namespace emergency_text_parts;

namespace {

// What a family letter is about; without it the terse form says what is known.
bool complete(const emergency_facts& f) {
  switch (f.kind) {
    case emergency_notice::press:
    case emergency_notice::press_accepted:
    case emergency_notice::press_not_accepted:
    case emergency_notice::press_no_centre: return f.press.has_value();
    case emergency_notice::trouble:
    case emergency_notice::trouble_ended: return f.trouble.has_value();
    case emergency_notice::event_refused: return false;
    case emergency_notice::dispatch:
    case emergency_notice::dispatch_accepted:
    case emergency_notice::dispatch_not_accepted: return f.dispatch.has_value();
    case emergency_notice::drill_unanswered: break;
  }
  return true;
}

// Nobody is told "the centre has it" of what is not accepted, whatever the caller calls the notice.
emergency_notice honest_kind(const emergency_facts& f) {
  const bool press = f.press && f.press->stage == press_stage::accepted;
  const bool dispatch = f.dispatch && f.dispatch->accepted;
  if (f.kind == emergency_notice::press_accepted && !press) return emergency_notice::press;
  if (f.kind == emergency_notice::dispatch_accepted && !dispatch) return emergency_notice::dispatch;
  return f.kind;
}

}  // namespace

notice_text compose_emergency(const emergency_facts& given) {
  emergency_facts f = given;
  f.kind = honest_kind(given);
  const shown_emergency shown{.facts = &f,
                              .time = {.zone_min = f.where.zone_min, .lang = f.to.lang, .now = f.now},
                              .home = one_line(f.where.name),
                              .reader = one_line(f.to.name),
                              .drill = (f.press && f.press->test) || f.drill.has_value()};
  if (f.to.role == contact_role::provider || !complete(f)) return emergency_provider(shown);
  return f.to.lang == language::ja ? emergency_family_ja(shown) : emergency_family_en(shown);
}

}  // namespace tomoshibi::relay
