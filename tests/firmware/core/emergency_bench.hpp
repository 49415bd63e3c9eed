// A gateway's emergency core with a store that can fail, a panel that shows at once, and time that the test moves.
#pragma once

#include "firmware/core/emergency.hpp"
#include "firmware/ports/memory_emergency_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <utility>

namespace tomoshibi::firmware {

inline constexpr emergency_settings settings{};
inline constexpr std::chrono::microseconds exact_store{700}, exact_panel{900};

template <class M>
std::vector<M> all_of(const emergency_output& o) {
  std::vector<M> out;
  for (const auto& m : o.to_lane)
    if (const auto* p = std::get_if<M>(&m)) out.push_back(*p);
  return out;
}
inline std::vector<wire::press> presses_of(const emergency_output& o) { return all_of<wire::press>(o); }

struct emergency_bench {
  memory_emergency medium;
  memory_emergency_store store{medium};
  std::optional<emergency> core;
  std::uint64_t seed = 1;
  mono_time now = mono_from_ms(1'000'000);
  emergency_output out;                     // since the last look()
  std::vector<wire::press_report> reports;  // all
  std::vector<panel_view> shown;

  emergency_bench() { start(); }
  void start() {
    core.emplace(store, settings, seed++, null_log());
    take([&](emergency_output& o) { core->on_start(now, o); });
  }
  template <class F>
  void take(F f) {
    emergency_output o;
    f(o);
    core->on_stored(now + exact_store);
    core->on_shown(now + exact_panel, o);
    out.to_lane.insert(out.to_lane.end(), o.to_lane.begin(), o.to_lane.end());
    for (const auto& m : o.to_lane)
      if (const auto* r = std::get_if<wire::press_report>(&m)) reports.push_back(*r);
    out.to_direct.insert(out.to_direct.end(), o.to_direct.begin(), o.to_direct.end());
    out.stop_direct.insert(out.stop_direct.end(), o.stop_direct.begin(), o.stop_direct.end());
    out.redial = out.redial || o.redial;
    out.buttons_loaded = out.buttons_loaded || o.buttons_loaded;
    if (o.panel) shown.push_back(*o.panel);
  }
  emergency_output look() { return std::exchange(out, {}); }
  press_id press(press_source source = press_source::button) {
    press_id id{};
    take([&](emergency_output& o) { id = core->on_press(now, wall_from_ms(5), source, "fe/000301", o); });
    return id;
  }
  void lane_up() { take([&](emergency_output& o) { core->on_lane_up(now, o); }); }
  void stage(press_id id, press_stage s) { take([&](emergency_output& o) { core->on_stage(now, id, s, o); }); }
  void direct(press_id id) { take([&](emergency_output& o) { core->on_direct_accepted(now, id, o); }); }
  void pass(millis time) {
    const mono_time end = now + time;
    while (core->next_wake() <= end) {
      now = std::max(now, core->next_wake());
      take([&](emergency_output& o) { core->on_wake(now, o); });
      REQUIRE(core->next_wake() > now);
    }
    now = end;
  }
  panel_word word() const { return core->panel().word; }
};

}  // namespace tomoshibi::firmware
