#include "relay/core/mail_text.hpp"

#include "relay/core/mail_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay {

using namespace mail_text_parts;

notice_text compose_notice(const notice_facts& f) {
  shown_facts shown{.facts = &f,
                    .time = {.zone_min = f.where.zone_min, .lang = f.to.lang, .now = f.now},
                    .home = one_line(f.where.name),
                    .appliance = one_line(f.appliance_label),
                    .reader = one_line(f.to.name)};
  if (f.edge == mail_edge::test) return test_text(shown);
  if (f.to.role == contact_role::provider) return provider_text(shown);
  return f.to.lang == language::ja ? family_ja(shown) : family_en(shown);
}

}  // namespace tomoshibi::relay
