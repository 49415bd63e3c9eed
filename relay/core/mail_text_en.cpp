// Letters to families in English.
#include "relay/core/mail_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::mail_text_parts {
namespace {

std::string subject_of(std::string_view rest) { return joined({"[Tomoshibi] ", rest}); }

std::string thing(const shown_facts& f) {
  return f.appliance.empty() ? "a watched device" : joined({"\"", f.appliance, "\""});
}

std::string greeting(const shown_facts& f) { return f.reader.empty() ? "Dear family," : joined({"Dear ", f.reader, ","}); }

std::string days_text(std::int32_t days) { return std::to_string(days) + (days == 1 ? " day" : " days"); }

std::string footer(const shown_facts& f) {
  return joined({"----\nTimes are local time at the home (", f.time.zone(), ").\n",
                 "This message was sent automatically by the Tomoshibi watch service."});
}

std::string use_line(const other_use& other, const shown_facts& f) {
  std::string line = joined({"* ", one_line(other.label), ": ",
                             other.last_use ? f.time.slot(*other.last_use) : "no use seen since watching began"});
  if (!other.visible) line += " (cannot be seen at the moment)";
  return line;
}

std::string others_block(const shown_facts& f, std::string_view title) {
  std::string out{title};
  const auto& others = f.facts->others;
  if (others.empty()) return out + "\nNo other appliance is being watched.";
  for (std::size_t i = 0; i < others.size() && i < others_shown_max; ++i) out += "\n" + use_line(others[i], f);
  if (others.size() > others_shown_max) {
    out += joined({"\n* and ", std::to_string(others.size() - others_shown_max), " more"});
  }
  return out;
}

std::string last_use_block(const shown_facts& f) {
  const auto& e = f.facts->what;
  if (e.last_use) return joined({"LAST USE\n", f.time.slot(*e.last_use)});
  return joined({"LAST USE\nNone since watching began on ", f.time.date(start_of(e.key.since)), "."});
}

std::string unseen_block(const shown_facts& f) {
  const auto unknown = f.facts->what.unknown_slots;
  if (unknown <= 0) return "TIME WE COULD NOT SEE\nNone.";
  return joined({"TIME WE COULD NOT SEE\nIn all ", f.time.duration(slots_length(unknown)),
                 ", because of the line or a device.\n",
                 "We do not know whether it was used in that time. It is not counted in the days above."});
}

std::string since_block(const shown_facts& f) {
  const auto from = start_of(f.facts->what.key.since);
  return joined({"SINCE WHEN\nAbout ", f.time.moment(from), " (", f.time.duration(f.facts->now - from),
                 " when this was written)"});
}

std::string from_until(const shown_facts& f) {
  const auto from = start_of(f.facts->what.key.since);
  const auto until = stretch_end(f.facts->what, f.facts->now);
  return joined({"From about ", f.time.moment(from), "\nto about ", f.time.moment(until), " (",
                 f.time.duration(until - from), ")"});
}

std::string_view cause_text(blind_cause cause) {
  switch (cause) {
    case blind_cause::line_down:
      return "The connection to the box in the home is interrupted. It may be a power cut, the line, or the router.";
    case blind_cause::gateway_off:
      return "The box in the home was without power. It may be a power cut or an unplugged cable.";
    case blind_cause::device_silent:
      return "The devices on the appliances do not answer. One may be unplugged or out of order.";
    case blind_cause::relay_off:
      return "Our own equipment was not running. Nothing is wrong on the side of the home. We apologise.";
    case blind_cause::none:
    case blind_cause::no_data: break;
  }
  return "No records are arriving from the appliances. We do not know the reason yet.";
}

std::string_view blind_advice(blind_cause cause) {
  switch (cause) {
    case blind_cause::line_down:
    case blind_cause::gateway_off:
      return "* Until we can see again, please ask directly, for example by telephone.\n"
             "* If somebody is at the home, it helps to check that the box and the router have power.";
    case blind_cause::device_silent:
      return "* Until we can see again, please ask directly, for example by telephone.\n"
             "* If somebody is at the home, it helps to check that the devices on the appliances are plugged in.";
    default: return "* Until we can see again, please ask directly, for example by telephone.";
  }
}

notice_text unused_opened(const shown_facts& f) {
  const auto days = days_text(whole_days(f.facts->what.off_slots));
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({thing(f), " at ", f.home, " has not been used for ", days, ".\n",
                         "You asked to be told after ", days, "."}));
  text.paragraph("A trip, a stay elsewhere or a change of habits leads to this message too.\n"
                 "It does not have to mean that something is wrong, but please make sure.");
  text.paragraph(last_use_block(f));
  text.paragraph(others_block(f, "LAST USE OF THE OTHER APPLIANCES"));
  text.paragraph(unseen_block(f));
  text.paragraph("WHAT TO DO NEXT\n* Please call first, and talk for a moment.\n"
                 "* If nobody answers, ask somebody nearby to look in, or go yourself.\n"
                 "* If you know the reason, such as a trip, there is nothing you need to do.");
  text.paragraph(joined({"We will write again when ", thing(f), " is used."}));
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": ", thing(f), " not used for ", days})), text.take()};
}

notice_text unused_closed(const shown_facts& f) {
  const auto& e = f.facts->what;
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({thing(f), " at ", f.home, " has been used again.\n",
                         "This ends our earlier message that it had not been used."}));
  if (e.closed_by) text.paragraph(joined({"USED AT\n", f.time.slot(*e.closed_by)}));
  if (e.last_use) text.paragraph(joined({"BEFORE THAT\n", f.time.slot(*e.last_use)}));
  text.paragraph("This tells you that an appliance was used, not how the person feels.\n"
                 "If anything worries you, please call.");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": ", thing(f), " has been used again"})), text.take()};
}

notice_text blind_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({"At the moment we cannot see how the appliances at ", f.home, " are being used."}));
  text.paragraph("This does not mean that something has happened there.\n"
                 "But while we cannot see, we can tell you neither that all is as usual nor that something is unused.");
  text.paragraph(since_block(f));
  text.paragraph(joined({"WHY\n", cause_text(f.facts->what.cause)}));
  text.paragraph(others_block(f, "LAST USE OF EACH APPLIANCE"));
  text.paragraph(joined({"WHAT TO DO NEXT\n", blind_advice(f.facts->what.cause)}));
  text.paragraph("We will write again when we can see.");
  text.paragraph(footer(f));
  return {subject_of(f.home + ": we cannot see the appliances"), text.take()};
}

notice_text blind_closed(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({"We can see the appliances at ", f.home, " again, and go on watching."}));
  text.paragraph("TIME WE COULD NOT SEE\n" + from_until(f));
  text.paragraph("Records of this time may still arrive, or it may stay unknown.\n"
                 "Time that is unknown is never counted as time without use.");
  text.paragraph(footer(f));
  return {subject_of(f.home + ": we can see the appliances again"), text.take()};
}

notice_text silent_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({"At the moment we cannot see ", thing(f), " at ", f.home, ".\n",
                         "The connection to the home is fine, but ", thing(f), " does not answer."}));
  text.paragraph("This does not mean that something has happened there.\n"
                 "But while it does not answer, we do not know whether it is being used.");
  text.paragraph(since_block(f));
  text.paragraph(others_block(f, "LAST USE OF THE OTHER APPLIANCES"));
  text.paragraph("WHAT TO DO NEXT\n* When somebody is at the home, please check its power and its plug.\n"
                 "* If it is unplugged on purpose, we will see it again once it is plugged in.");
  text.paragraph("We will write again when we can see it.");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": we cannot see ", thing(f)})), text.take()};
}

notice_text silent_closed(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({"We can see ", thing(f), " at ", f.home, " again."}));
  text.paragraph("TIME WE COULD NOT SEE\n" + from_until(f));
  text.paragraph("Whether it was used in that time, we do not know.");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": we can see ", thing(f), " again"})), text.take()};
}

notice_text fault_opened(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({thing(f), " at ", f.home, " reports a fault of its own."}));
  text.paragraph("This is about the device; it does not mean that something has happened to the person.\n"
                 "While the fault lasts, our record of its use may be wrong.");
  text.paragraph(since_block(f));
  text.paragraph(others_block(f, "LAST USE OF THE OTHER APPLIANCES"));
  text.paragraph("WHAT TO DO NEXT\n* Please look at its display and manual, and ask the shop or the maker.\n"
                 "* If there is smoke or a burning smell, it should be switched off and not be used.");
  text.paragraph("We will write again when the fault is gone.");
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": ", thing(f), " reports a fault"})), text.take()};
}

notice_text fault_closed(const shown_facts& f) {
  letter text;
  text.paragraph(greeting(f));
  text.paragraph(joined({thing(f), " at ", f.home, " no longer reports a fault."}));
  text.paragraph("TIME OF THE FAULT\n" + from_until(f));
  text.paragraph(footer(f));
  return {subject_of(joined({f.home, ": ", thing(f), " no longer reports a fault"})), text.take()};
}

}  // namespace

notice_text family_en(const shown_facts& f) {
  const bool opened = f.facts->edge == mail_edge::opened;
  switch (f.facts->what.key.kind) {
    case episode_kind::unused: return opened ? unused_opened(f) : unused_closed(f);
    case episode_kind::blind_family:
    case episode_kind::blind_provider: return opened ? blind_opened(f) : blind_closed(f);
    case episode_kind::device_fault: return opened ? fault_opened(f) : fault_closed(f);
    case episode_kind::device_silent: break;
  }
  return opened ? silent_opened(f) : silent_closed(f);
}

}  // namespace tomoshibi::relay::mail_text_parts
