// What must hold of presses, judged from outside: what the person pressed, what the panel shows, the operator's list at the
// guard centre, and the mails. Shares no code with the product.
//
//   exactly one entry for each press, of the right home, a drill as a test and nothing else as one
//   nothing in the list that nobody pressed
//   the panel says "accepted", or nothing, only while every press of the home is in the list; "received" only if each is in the
//   list or durable at the relay
//   a press that is not acknowledged within 30 s is shown as not delivered
//   nobody is written that the centre has it before it has
//   no line is called lost twice without having been back, and none is left lost
#pragma once

#include "firmware/ports/panel.hpp"
#include "protocol/base/ids.hpp"
#include "tools/guard.d/core/centre.hpp"
#include "tools/sim.d/observer.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace tomoshibi::sim {

class press_checker {
public:
  // `at_relay`: whether the relay has this press durably. `refuses`: the centre may say of anything that it cannot process it; what
  // is not urgent is not told then.
  press_checker(std::function<bool(press_id)> at_relay, bool refuses) : at_relay_(std::move(at_relay)), refuses_(refuses) {}

  void on_press(mono_time now, std::uint32_t home, press_id id, bool drill);
  void on_lost_unsaved(press_id id) { excused_.insert(id); }  // the power went while the disk took nothing
  void on_panel(mono_time now, std::uint32_t home, const firmware::panel_view& view);
  // The box has been on for 30 s and more with this press.
  void on_late(mono_time now, press_id id, const firmware::panel_view& view);
  void on_entry(mono_time now, const guard::entry& e);        // durable in the operator's list
  void on_told_accepted(mono_time now, press_id id);          // a mail
  bool in_list(press_id id) const { return listed_.contains(id); }
  bool lost_unsaved(press_id id) const { return excused_.contains(id); }
  violations finish(mono_time end);

  std::uint64_t presses() const { return presses_.size(); }
  std::uint64_t drills() const { return drills_; }
  std::uint64_t undelivered() const { return undelivered_; }
  std::uint64_t lines_lost() const { return lines_lost_; }
  std::uint64_t unsaved() const { return excused_.size(); }

private:
  struct made {
    std::uint32_t home = 0;
    bool drill = false;
    mono_time at{};
    bool undelivered = false;
  };
  void found(mono_time now, const std::string& what, press_id id);

  std::function<bool(press_id)> at_relay_;
  bool refuses_;
  std::map<press_id, made> presses_;
  std::set<press_id> listed_, excused_;
  std::map<std::string, bool> line_lost_;                      // by account
  std::uint64_t drills_ = 0, undelivered_ = 0, lines_lost_ = 0;
  violations violations_;
};

std::string press_account(std::uint32_t home);

}  // namespace tomoshibi::sim
