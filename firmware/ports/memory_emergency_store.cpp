#include "firmware/ports/memory_emergency_store.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

result<emergency_state> memory_emergency_store::load() {
  if (medium_.loads_fail) return fail(errc::storage_io, "told to fail");
  return medium_.durable;
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
  auto& buttons = medium_.durable.buttons;
  const auto at = std::ranges::find(buttons, what.button, &known_button::button);
  if (at == buttons.end()) {
    buttons.push_back(what);
  } else {
    *at = what;
  }
  return {};
}

}  // namespace tomoshibi::firmware
