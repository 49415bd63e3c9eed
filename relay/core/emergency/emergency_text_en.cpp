// Emergency mails to families in English.
#include "relay/core/emergency/emergency_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::emergency_text_parts {
namespace {

using mail_text_parts::joined;
using mail_text_parts::letter;

std::string subject_of(const shown_emergency& f, std::string_view mark, std::string_view rest) {
  return joined({"[Tomoshibi] ", f.drill ? "DRILL - " : mark, f.home, ": ", rest});
}

void begin(const shown_emergency& f, letter& text) {
  if (f.drill) text.paragraph("THIS IS A DRILL. Nothing has happened, and nobody is being sent.");
  text.paragraph(f.reader.empty() ? "Dear family," : joined({"Dear ", f.reader, ","}));
}

notice_text end(const shown_emergency& f, std::string subject, letter& text) {
  text.paragraph(joined({"----\nTimes are local time at the home (", f.time.zone(), ").\n",
                         "This message was sent automatically by the Tomoshibi watch service."}));
  return {std::move(subject), text.take()};
}

std::string_view button_text(press_source source) {
  switch (source) {
    case press_source::first_aid: return "The first-aid button";
    case press_source::box: return "The emergency button on the box";
    case press_source::drill: return "A drill";
    case press_source::button: break;
  }
  return "The emergency button";
}

std::string when_block(const shown_emergency& f) {
  const auto& p = *f.facts->press;
  if (!p.occurred) return joined({"WHEN\nWe heard of it on ", f.time.second(p.known), ". The box did not know the time."});
  std::string out = joined({"WHEN\n", f.time.second(*p.occurred)});
  if (p.known - *p.occurred >= heard_late_after) out += joined({"\nWe heard of it only on ", f.time.second(p.known), "."});
  return out;
}

constexpr std::string_view what_to_do =
    "WHAT TO DO NEXT\n* Please call now.\n"
    "* If nobody answers, or help is needed, call 119 (ambulance, fire) or 110 (police) yourself.";

std::string centre_block(const shown_emergency& f) {
  const auto& p = *f.facts->press;
  if (f.accepted()) return "THE GUARD CENTRE\nThe guard centre has confirmed that it has the call.";
  if (!f.facts->has_centre) return "THE GUARD CENTRE\nNo guard centre is set up for this home. Nobody else has been told.";
  if (p.was_undelivered || p.alarmed)
    return "THE GUARD CENTRE\nThe guard centre has NOT confirmed the call. We keep trying.\nUntil we write again, please act as if "
           "nobody else had been told.";
  return "THE GUARD CENTRE\nThe call is on its way to the guard centre, which has not confirmed it yet.\n"
         "We will write again when it has.";
}

notice_text press(const shown_emergency& f) {
  letter text;
  begin(f, text);
  const auto source = f.facts->press->source;
  text.paragraph(f.drill ? joined({"A drill call was made at ", f.home, "."})
                         : joined({button_text(source), " at ", f.home, " was pressed."}));
  text.paragraph(when_block(f));
  text.paragraph(centre_block(f));
  if (!f.drill) text.paragraph(what_to_do);
  const std::string_view what = f.drill                            ? "a drill call"
                                : source == press_source::first_aid ? "first-aid button pressed"
                                                                    : "emergency button pressed";
  return end(f, subject_of(f, "EMERGENCY - ", what), text);
}

notice_text press_accepted(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({"The guard centre has confirmed that it has the call from ", f.home, "."}));
  text.paragraph(when_block(f));
  if (f.facts->press->accepted) text.paragraph(joined({"CONFIRMED\nAs we learnt on ", f.time.second(*f.facts->press->accepted)}));
  if (!f.drill) text.paragraph("What the centre does now follows your agreement with it. Please stay within reach of your telephone.");
  return end(f, subject_of(f, "EMERGENCY - ", "the guard centre has the call"), text);
}

notice_text press_not_accepted(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({"The guard centre has NOT confirmed the call from ", f.home, ". We keep trying."}));
  text.paragraph(when_block(f));
  if (!f.drill) text.paragraph(joined({"Please act as if nobody else had been told.\n\n", what_to_do}));
  return end(f, subject_of(f, "EMERGENCY - ", "NOT confirmed by the guard centre"), text);
}

std::string_view trouble_text(trouble_kind kind) {
  switch (kind) {
    case trouble_kind::button_stuck: return "An emergency button has been held down for a long time and may be stuck. It cannot call.";
    case trouble_kind::button_silent: return "An emergency button has not been heard of for a while. It may not be able to call.";
    case trouble_kind::press_not_saved: return "The box cannot save a call. It sends it all the same.";
    case trouble_kind::mains_lost: return "The box runs on its battery: it has no power from the socket.";
    case trouble_kind::battery_low: return "The battery of the box is low.";
    case trouble_kind::direct_path_down: break;
  }
  return "The box cannot reach the guard centre by itself. Calls go through our service.";
}

notice_text trouble(const shown_emergency& f, bool over) {
  letter text;
  begin(f, text);
  const auto& t = *f.facts->trouble;
  text.paragraph(joined({over ? "What we wrote of the box at " : "The box at ", f.home,
                         over ? " is over:\n" : " reports a trouble:\n", trouble_text(t.kind)}));
  text.paragraph(joined({"SINCE WHEN\n", f.time.moment(t.since)}));
  if (over && t.ended) text.paragraph(joined({"UNTIL WHEN\n", f.time.moment(*t.ended)}));
  if (!over) text.paragraph("This is about the equipment; it does not mean that something has happened to the person.\n"
                            "If somebody is at the home, it helps to look at the button, the plug and the box.");
  return end(f, subject_of(f, "", over ? "the trouble of the box is over" : "the box reports a trouble"), text);
}

std::string asked_block(const shown_emergency& f) {
  const auto& d = *f.facts->dispatch;
  return joined({"WHO AND WHY\n", one_line(d.who), ": ", one_line(d.reason), "\n\nWHEN\n", f.time.second(d.asked)});
}

notice_text dispatch(const shown_emergency& f) {
  letter text;
  begin(f, text);
  const bool confirmed = f.facts->dispatch->accepted.has_value();
  const bool late = f.facts->kind == emergency_notice::dispatch_not_accepted;
  text.paragraph(joined({"A visit of the guard centre to ", f.home, " was asked for."}));
  text.paragraph(asked_block(f));
  if (confirmed) {
    text.paragraph(joined({"THE GUARD CENTRE\nIt has confirmed that it has the request, as we learnt on ",
                           f.time.second(*f.facts->dispatch->accepted), "."}));
  } else if (late) {
    text.paragraph("THE GUARD CENTRE\nIt has NOT confirmed the request. We keep trying.\nIf it is urgent, please call 119 or 110.");
  } else {
    text.paragraph("THE GUARD CENTRE\nIt has not confirmed the request yet. We will write again when it has.");
  }
  return end(f, subject_of(f, "", confirmed ? "the guard centre has the request for a visit"
                                  : late    ? "the request for a visit is NOT confirmed"
                                            : "a visit was asked for"), text);
}

notice_text drill_unanswered(const shown_emergency& f) {
  letter text;
  begin(f, text);
  text.paragraph(joined({"The drill at ", f.home, " did not end well: ",
                         f.facts->press ? "the guard centre did not confirm the drill call."
                                        : "no call came from the box."}));
  text.paragraph("The provider has been told and looks into it.");
  return end(f, subject_of(f, "", "the drill did not end well"), text);
}

}  // namespace

notice_text emergency_family_en(const shown_emergency& f) {
  switch (f.facts->kind) {
    case emergency_notice::press:
    case emergency_notice::press_no_centre: return press(f);
    case emergency_notice::press_accepted: return press_accepted(f);
    case emergency_notice::press_not_accepted: return press_not_accepted(f);
    case emergency_notice::trouble: return trouble(f, false);
    case emergency_notice::trouble_ended: return trouble(f, true);
    case emergency_notice::dispatch:
    case emergency_notice::dispatch_accepted:
    case emergency_notice::dispatch_not_accepted: return dispatch(f);
    case emergency_notice::event_refused: return emergency_provider(f);  // to providers only
    case emergency_notice::drill_unanswered: break;
  }
  return drill_unanswered(f);
}

}  // namespace tomoshibi::relay::emergency_text_parts
