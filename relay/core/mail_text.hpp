// The words of every notice: subject and text for one (episode kind, edge, language, reader). Pure.
//
// Families get a letter: what happened, what it does and does not mean, what else was seen, what to do. Providers get
// terse lines with ids. Nothing here says that a person is well or unwell; it says what was and was not seen.
// Times are shown in the home's zone and as the slot they are known to (21:00-21:15), never more exact than that.
#pragma once

#include "relay/core/directory.hpp"
#include "relay/core/ledger.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::relay {

inline constexpr std::size_t others_shown_max = 12;  // further appliances are counted, not listed

struct other_use {
  std::string label;
  std::optional<slot_index> last_use;  // nothing: no use seen since watching began
  bool visible = true;                 // false: it cannot be seen at present, so its last use may be out of date
};

struct notice_facts {
  home where;
  contact to;                          // language, role and name are used; the address never appears in the text
  mail_edge edge = mail_edge::opened;
  episode what;                        // not used for mail_edge::test
  std::string appliance_label;         // of what.key.appliance; empty when the notice is about the whole home
  std::vector<other_use> others;       // the home's other watched appliances, in the order they are to be shown
  std::vector<gateway_id> gateways;    // of the home, for provider notices
  wall_at now{};                       // when the notice is composed
};

struct notice_text {
  std::string subject;                 // UTF-8, one line, no control characters
  std::string body;                    // UTF-8, LF lines, ends with LF
  bool operator==(const notice_text&) const = default;
};

// Names and labels are shown with control characters replaced by blanks, so that no name can add a line.
notice_text compose_notice(const notice_facts& f);

}  // namespace tomoshibi::relay
