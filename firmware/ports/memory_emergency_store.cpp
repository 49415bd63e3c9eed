#include "firmware/ports/memory_emergency_store.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

result<emergency_state> memory_emergency_store::load() {
  if (medium_.loads_fail) return fail(errc::storage_io, "told to fail");
  emergency_state state = medium_.durable;
  medium_.durable.damaged = 0;
  return state;
}

status memory_emergency_store::may_write() {
  const std::uint64_t number = ++medium_.writes;
  if (number >= medium_.fail_from && number - medium_.fail_from < medium_.fail_count) return fail(errc::storage_io, "told to fail");
  return {};
}

status memory_emergency_store::put(const press& what) {
  if (auto ok = may_write(); !ok) return ok;
  auto& open = medium_.durable.open;
  const auto at = std::ranges::find(open, what.id, &press::id);
  if (what.button.size() > button_name_max) return fail(errc::refused, "the name of a button is too long");
  if (at == open.end() && open.size() >= presses_max) return fail(errc::refused, "no room for another press");
  if (at == open.end()) {
    open.push_back(what);
  } else {
    *at = what;
  }
  return {};
}

status memory_emergency_store::forget(press_id id) {
  if (auto ok = may_write(); !ok) return ok;
  std::erase_if(medium_.durable.open, [id](const press& p) { return p.id == id; });
  return {};
}

status memory_emergency_store::put_button(const known_button& what) {
  if (auto ok = may_write(); !ok) return ok;
  if (what.button.size() > button_name_max) return fail(errc::refused, "the name of a button is too long");
  auto& buttons = medium_.durable.buttons;
  std::erase_if(buttons, [&what](const known_button& b) { return b.button == what.button; });
  if (buttons.size() >= known_buttons_max) buttons.erase(buttons.begin());
  buttons.push_back(what);
  return {};
}

}  // namespace tomoshibi::firmware
