#include "tools/sim.d/press/press_checker.hpp"

#include <cstdlib>

namespace tomoshibi::sim {
namespace {

using firmware::panel_word;

std::string hex_of(press_id id) {
  char out[17];
  std::snprintf(out, sizeof out, "%016llX", static_cast<unsigned long long>(id));
  return out;
}

}  // namespace

std::string press_account(std::uint32_t home) { return "A" + std::to_string(100 + home); }

void press_checker::found(mono_time now, const std::string& what, press_id id) {
  if (violations_.size() >= violations_max) return;
  violations_.push_back("presses: " + what + ": " + hex_of(id) + " at " + std::to_string(to_ms(now)) + " ms");
}

void press_checker::on_press(mono_time now, std::uint32_t home, press_id id, bool drill) {
  if (!presses_.emplace(id, made{.home = home, .drill = drill, .at = now}).second) found(now, "a name used twice", id);
  drills_ += drill;
}

void press_checker::on_panel(mono_time now, std::uint32_t home, const firmware::panel_view& view) {
  if (view.test || view.word == panel_word::calling || view.word == panel_word::not_delivered) return;
  for (const auto& [id, p] : presses_) {
    if (p.home != home || p.drill || listed_.contains(id) || excused_.contains(id)) continue;
    if (view.word == panel_word::received && at_relay_(id)) continue;
    found(now, view.word == panel_word::received ? "shown as received, and is not" : "shown as accepted or done, and is not", id);
  }
}

void press_checker::on_late(mono_time now, press_id id, const firmware::panel_view& view) {
  made& p = presses_.at(id);
  if (p.drill || listed_.contains(id)) return;
  if (view.word != panel_word::not_delivered) return found(now, "open for 30 s, and not shown as undelivered", id);
  undelivered_ += !p.undelivered;
  p.undelivered = true;
}

void press_checker::on_entry(mono_time now, const guard::entry& e) {
  if (e.what == dc09::event::path_failed) {
    const bool lost = e.how == dc09::edge::begun;
    if (lost && !refuses_ && line_lost_[e.account]) found(now, "a line lost twice, account " + e.account, press_id{});
    if (!lost && !refuses_ && !line_lost_[e.account]) found(now, "a line back that was not lost, account " + e.account, press_id{});
    line_lost_[e.account] = lost;
    lines_lost_ += lost;
    return;
  }
  const bool of_press = e.what == dc09::event::personal_emergency || e.what == dc09::event::medical || e.what == dc09::event::manual_test;
  if (!of_press) return;
  const press_id id{std::strtoull(e.reference.c_str(), nullptr, 16)};
  const auto p = presses_.find(id);
  if (p == presses_.end()) return found(now, "an entry that nobody pressed", id);
  if (!listed_.insert(id).second) found(now, "a second entry", id);
  if (e.account != press_account(p->second.home)) found(now, "an entry of another home", id);
  if (p->second.drill != (e.what == dc09::event::manual_test)) found(now, "a drill that is none, or a press as a drill", id);
}

void press_checker::on_told_accepted(mono_time now, press_id id) {
  if (!listed_.contains(id)) found(now, "told as accepted, and is not in the list", id);
}

violations press_checker::finish(mono_time end) {
  for (const auto& [id, p] : presses_)
    if (!listed_.contains(id) && !excused_.contains(id) && !p.drill) found(end, "no entry", id);  // a drill ends by itself
  for (const auto& [account, lost] : line_lost_)
    if (lost && !refuses_) found(end, "a line called lost at the end, account " + account, press_id{});
  return violations_;
}

}  // namespace tomoshibi::sim
