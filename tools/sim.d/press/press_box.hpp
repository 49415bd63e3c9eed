// One home's box with its button: the production alarm over a store in memory, the direct path's sender, and what is played of
// the shell (firmware/shell/emergency_part, direct_path). The store outlives the power, the rest does not.
#pragma once

#include "firmware/core/alarm.hpp"
#include "firmware/ports/memory_emergency_store.hpp"
#include "protocol/dc09/sender.hpp"
#include "tools/sim.d/press/press_checker.hpp"
#include "tools/sim.d/press/press_line.hpp"

#include <memory>
#include <set>

namespace tomoshibi::sim {

wall_at press_wall(mono_time t);
gateway_id press_gateway(std::uint32_t home);

class press_box {
public:
  struct surroundings {
    press_clock& clock;
    press_checker& checker;
    std::uint64_t seed = 0;
    bool direct = true;
    bool believes_all = false;                      // press_lie::ack_believed
  };
  press_box(std::uint32_t home, const surroundings& around);

  void connect(press_line& lane, press_line& direct) { lane_ = &lane, direct_line_ = &direct; }
  void power_on();
  void power_off(millis length);
  bool on() const { return alarm_ != nullptr; }

  void push_button();
  void lane_opened();
  void lane_bytes(byte_view data);
  void lane_closed();
  void direct_opened();
  void direct_bytes(byte_view data);
  void direct_closed();

  void fill_disk(bool full);
  void set_clock(millis wrong_by) { wrong_by_ = wrong_by; }
  void cut_after(std::uint32_t actions) { cut_after_ = actions; }
  void be_back() { back_at_ = clock_.now(), power_on(); }

  const firmware::alarm* alarm() const { return alarm_.get(); }
  std::uint64_t cuts() const { return cuts_; }
  std::uint64_t direct_first() const { return direct_first_; }

private:
  template <class F>
  void turn(F f);
  void carry_out(const firmware::alarm_output& out);
  void see_new_presses();
  void watch(press_id id, bool drill);
  bool does();                                       // false: the power has just gone
  void act(dc09::sender_output& out);
  void arm();
  wall_at wall() const { return press_wall(clock_.now()) + wrong_by_; }

  std::uint32_t home_;
  press_clock& clock_;
  press_checker& checker_;
  prng random_;
  bool has_direct_, believes_all_;
  press_line* lane_ = nullptr;
  press_line* direct_line_ = nullptr;
  firmware::memory_emergency disk_;
  std::unique_ptr<firmware::memory_emergency_store> store_;
  std::unique_ptr<firmware::alarm> alarm_;
  std::unique_ptr<dc09::sender> sender_;
  firmware::panel_view shown_;
  firmware::link_number link_ = 0;
  std::uint64_t direct_connection_ = 0;
  std::set<press_id> seen_;                          // by their names on the disk or on the lane
  std::set<press_id> saved_;
  std::set<press_id> watched_;                       // since the power came
  std::map<press_id, firmware::press> direct_open_;
  std::uint64_t life_ = 0;
  std::uint32_t cut_after_ = 0;
  bool pressed_ = false;                             // cut_after_ counts from a press on
  mono_time back_at_{};
  mono_time wake_ = never;
  millis wrong_by_{};
  std::uint64_t cuts_ = 0, direct_first_ = 0;
};

}  // namespace tomoshibi::sim
