#include "firmware/core/box_troubles.hpp"

#include <algorithm>
#include <tuple>

namespace tomoshibi::firmware {
namespace {

constexpr std::size_t room_for_box = 8;  // kept free of troubles of buttons

// Those of the box first: they are the last to be left out.
bool before(const wire::trouble& a, const wire::trouble& b) { return std::tie(b.kind, a.button) < std::tie(a.kind, b.button); }

}  // namespace

bool box_troubles::set(trouble_kind kind, std::string_view button, bool on) {
  const wire::trouble what{kind, std::string{button}};
  const auto at = std::ranges::lower_bound(now_, what, before);
  const bool was = at != now_.end() && *at == what;
  if (was == on) return false;
  if (!on) {
    now_.erase(at);
    return true;
  }
  if (now_.size() >= wire::troubles_max - (button.empty() ? 0 : room_for_box)) return false;
  now_.insert(at, what);
  return true;
}

wire::box_state box_troubles::state() const {
  wire::box_state out{now_};
  while (!out.troubles.empty() && !wire::encode_frame(out)) out.troubles.pop_back();
  return out;
}

}  // namespace tomoshibi::firmware
