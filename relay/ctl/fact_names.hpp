// Words for mails, the same in every table and in every JSON; those for episodes are ledger.hpp's.
#pragma once

#include "relay/ports/store.hpp"

#include <string_view>

namespace tomoshibi::ctl {

constexpr std::string_view name_of(relay::mail_state s) {
  switch (s) {
    case relay::mail_state::queued: return "queued";
    case relay::mail_state::sent: return "sent";
    case relay::mail_state::given_up: return "failed";
    case relay::mail_state::cancelled: return "cancelled";
  }
  return "unlisted";
}

constexpr std::string_view name_of(relay::mail_edge e) {
  switch (e) {
    case relay::mail_edge::opened: return "alert";
    case relay::mail_edge::closed: return "all-clear";
    case relay::mail_edge::test: return "test";
  }
  return "unlisted";
}

}  // namespace tomoshibi::ctl
