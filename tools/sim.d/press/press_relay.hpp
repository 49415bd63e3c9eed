// The relay's emergency part: the production desk over a book in memory, the sender of its line to the guard centre, a mail server
// that takes everything. The book outlives the power, the rest does not.
#pragma once

#include "protocol/dc09/sender.hpp"
#include "relay/core/emergency/emergency_desk.hpp"
#include "relay/ports/memory_emergency_book.hpp"
#include "tools/sim.d/press/press_checker.hpp"
#include "tools/sim.d/press/press_line.hpp"
#include "tools/sim.d/press/press_plan.hpp"

#include <memory>

namespace tomoshibi::sim {

class press_relay {
public:
  press_relay(const press_options& opt, press_clock& clock, press_checker& checker, std::uint64_t seed);

  void connect(std::vector<press_line*> lanes, press_line& link) { lanes_ = std::move(lanes), link_ = &link; }
  void power_on();
  void power_off(millis length);
  bool on() const { return desk_ != nullptr; }

  void lane_opened(std::uint32_t home, std::uint64_t session);
  void lane_bytes(std::uint64_t session, byte_view data);
  void lane_closed(std::uint64_t session);
  void link_opened();
  void link_bytes(byte_view data);
  void link_closed();
  void drill(std::uint32_t home);

  void fail_disk(bool fails) { disk_fails_ = fails; }
  void set_clock(millis wrong_by) { wrong_by_ = wrong_by; }
  void cut_after(std::uint32_t actions) { cut_after_ = actions; }
  void be_back() { back_at_ = clock_.now(), power_on(); }

  bool has(press_id id) const { return book_->all_presses().contains(id); }
  void judge_end(violations& found) const;
  std::uint64_t cuts() const { return cuts_; }
  std::uint64_t mails() const { return mails_; }

private:
  template <class F>
  void turn(F f);
  void act(relay::desk_output& out);
  void act(dc09::sender_output& out);
  bool does();
  void arm();
  wall_at wall() const;

  press_options opt_;
  press_clock& clock_;
  press_checker& checker_;
  prng random_;
  std::shared_ptr<const relay::known_world> world_;
  std::unique_ptr<relay::memory_emergency_book> book_;
  relay::memory_emergency_book at_start_;               // press_lie::relay_forgets: what it had when the power came
  std::unique_ptr<relay::emergency_desk> desk_;
  std::unique_ptr<dc09::sender> sender_;
  std::vector<press_line*> lanes_;                      // by home
  press_line* link_ = nullptr;
  std::uint64_t connection_ = 0;
  std::uint64_t life_ = 0;
  std::uint32_t cut_after_ = 0;
  mono_time back_at_{};
  mono_time wake_ = never;
  millis wrong_by_{};
  bool disk_fails_ = false;
  std::uint64_t cuts_ = 0, mails_ = 0;
};

}  // namespace tomoshibi::sim
