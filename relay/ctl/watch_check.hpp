// What a home needs before it may be watched.
#pragma once

#include "relay/core/directory.hpp"

#include <algorithm>
#include <vector>

namespace tomoshibi::ctl {

inline bool has_family_recipient(const std::vector<relay::contact>& contacts) {
  return std::ranges::any_of(contacts, [](const relay::contact& c) { return c.role == relay::contact_role::family; });
}

}  // namespace tomoshibi::ctl
