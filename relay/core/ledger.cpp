#include "relay/core/ledger.hpp"

namespace tomoshibi::relay {

bool replaces(const slot_cell& stored, const slot_cell& arrived) {
  if (!arrived.present) return false;
  return !stored.present || (stored.time_uncertain && !arrived.time_uncertain);
}

}  // namespace tomoshibi::relay
