#include "firmware/core/buttons.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::string_view by_address = "ip:";
constexpr std::size_t object_digits = 6;

// "/000301" at the end of a device key; empty: it is none.
std::string_view object_of(std::string_view key) {
  if (key.size() <= object_digits || key[key.size() - object_digits - 1] != '/') return {};
  return key.substr(key.size() - object_digits);
}

}  // namespace

bool is_emergency_button(std::uint32_t eoj) {
  const std::uint32_t any = eoj & 0xffff00;
  return any == eoj_emergency_button || any == eoj_first_aid;
}

press_source source_of(std::string_view button) {
  const std::string_view object = object_of(button);
  if (object.starts_with("0003")) return press_source::button;
  return object.starts_with("0004") ? press_source::first_aid : press_source::box;
}

std::vector<drivers::watch> button_watches() {
  std::vector<drivers::watch> out;
  for (const std::uint32_t eoj : {eoj_emergency_button, eoj_first_aid})
    out.push_back({.node = {}, .eoj = eoj, .wants_operation_status = true, .wants_power = false, .wants_energy = false,
                   .wants_sensor_state = true});
  return out;
}

// ---- which

buttons::entry* buttons::find(std::string_view name) {
  const auto found = std::ranges::find(all_, name, &entry::name);
  return found != all_.end() ? &*found : nullptr;
}

buttons::entry& buttons::add(mono_time now, std::string name, std::optional<bool> last_known) {
  const millis period = source_of(name) == press_source::box ? millis{0} : period_;
  return all_.emplace_back(entry{std::move(name), button{now, period, last_known}, now, last_known, never});
}

void buttons::drop(std::vector<entry>::iterator which, buttons_output& out) {
  if (which->what.stuck()) out.troubles.push_back({trouble_kind::button_stuck, which->name, false});
  if (which->what.silent()) out.troubles.push_back({trouble_kind::button_silent, which->name, false});
  all_.erase(which);
}

buttons::entry* buttons::earlier_name_of(mono_time now, std::string_view name, buttons_output& out) {
  if (name.starts_with(by_address) || object_of(name).empty()) return nullptr;
  const auto same = std::ranges::find_if(all_, [&](const entry& e) {
    return e.name.starts_with(by_address) && object_of(e.name) == object_of(name) && now - e.heard_at < again_after;
  });
  if (same == all_.end()) return nullptr;
  if (same->what.stuck()) {
    out.troubles.push_back({trouble_kind::button_stuck, same->name, false});
    out.troubles.push_back({trouble_kind::button_stuck, std::string{name}, true});
  }
  same->name = name;
  same->saved.reset();
  return &*same;
}

buttons::entry& buttons::at(mono_time now, std::string_view name, buttons_output& out) {
  name = name.substr(0, button_name_max);
  entry* e = find(name);
  if (e == nullptr) e = earlier_name_of(now, name, out);
  if (e == nullptr) {
    if (all_.size() >= buttons_max) drop(std::ranges::min_element(all_, {}, &entry::heard_at), out);
    e = &add(now, std::string{name}, std::nullopt);
  }
  e->heard_at = now;
  return *e;
}

// ---- what is heard

// Those that spoke before this was known are known better.
void buttons::on_loaded(mono_time now, const std::vector<known_button>& known) {
  for (const known_button& k : known)
    if (find(k.button) == nullptr && all_.size() < buttons_max) add(now, k.button, k.pressed);
}

void buttons::on_state(mono_time now, std::string_view name, bool pressed, button_heard how, buttons_output& out) {
  entry& e = at(now, name, out);
  e.what.on_state(now, pressed, how, news_);
  take(now, e, out);
}

void buttons::on_alive(mono_time now, std::string_view name, buttons_output& out) {
  entry& e = at(now, name, out);
  e.what.on_alive(now, news_);
  take(now, e, out);
}

void buttons::on_reading(mono_time now, const drivers::reading& r, buttons_output& out) {
  const button_heard how = r.announced ? button_heard::announced : button_heard::found;
  if (r.active || r.doubted) return on_state(now, r.device, r.doubted || *r.active, how, out);
  on_alive(now, r.device, out);
}

void buttons::on_presence(mono_time now, const drivers::device_presence& p, buttons_output& out) {
  if (p.change != drivers::presence_change::silent) on_alive(now, p.device, out);
}

void buttons::take(mono_time now, entry& e, buttons_output& out) {
  const auto trouble = [&](trouble_kind kind, bool on) { out.troubles.push_back({kind, e.name, on}); };
  for (const button_news n : news_) {
    switch (n) {
      case button_news::press: out.presses.push_back({e.name, source_of(e.name)}); break;
      case button_news::stuck: trouble(trouble_kind::button_stuck, true); break;
      case button_news::stuck_over: trouble(trouble_kind::button_stuck, false); break;
      case button_news::silent: trouble(trouble_kind::button_silent, true); break;
      case button_news::silent_over: trouble(trouble_kind::button_silent, false); break;
    }
  }
  news_.clear();
  if (e.what.last_known() != e.saved && e.save_at == never) e.save_at = now + button_saved_after;
}

// ---- time

void buttons::on_wake(mono_time now, buttons_output& out) {
  for (entry& e : all_) {
    if (e.what.next_wake() > now) continue;
    e.what.on_wake(now, news_);
    take(now, e, out);
  }
}

mono_time buttons::next_wake() const {
  mono_time at = never;
  for (const entry& e : all_) at = std::min({at, e.what.next_wake(), e.save_at});
  return at;
}

std::vector<known_button> buttons::to_save(mono_time now) {
  std::vector<known_button> out;
  for (entry& e : all_) {
    if (e.save_at > now) continue;
    e.save_at = never;
    const std::optional<bool> known = e.what.last_known();
    if (!known || known == e.saved) continue;
    e.saved = known;
    out.push_back({e.name, *known});
  }
  return out;
}

void buttons::save_again(mono_time now, const known_button& what) {
  entry* const e = find(what.button);
  if (e == nullptr) return;
  e->saved.reset();
  e->save_at = now + button_saved_every;
}

std::size_t buttons::troubled() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(all_, [](const entry& e) { return e.what.stuck() || e.what.silent(); }));
}

}  // namespace tomoshibi::firmware
