// What a core asked to be mailed (submit_mail, submit_emergency_mail) in the form that becomes RFC 5322 text.
#pragma once

#include "relay/core/mime.hpp"
#include "relay/core/directory.hpp"

namespace tomoshibi::relay {

template <class Submit>
mail_content content_of(const Submit& a, const std::string& from_name) {
  return {.from_address = a.from_address,
          .from_name = from_name,
          .to_address = a.to_address,
          .to_name = a.to_name,
          .subject = a.what.subject,
          .body = a.what.body,
          .message_id = a.what.message_id,
          .language = a.lang == language::ja ? "ja" : "en",
          .date = a.what.queued};
}

}  // namespace tomoshibi::relay
