#include "tools/sim.d/truth.hpp"

#include <algorithm>

namespace tomoshibi::sim {

bool used_in(const std::vector<use>& uses, wall_at from, wall_at until) {
  // Uses lie apart and ascend: the first one that ends behind `from` decides.
  const auto first = std::ranges::partition_point(uses, [from](const use& u) { return u.until <= from; });
  return first != uses.end() && first->from < until;
}

}  // namespace tomoshibi::sim
