// The simulated world: homes, one relay, the lines between them and a mail server, moved by one heap of events.
//
// Production cores throughout; only shells are played here. Everything follows from options.seed: the same seed gives the
// same trace hash, on any machine. What outlives a power cut lies on the disks of a factory (disk.hpp).
//
// Two phases: faults until calm_begins(), then quiet. In the quiet everything is switched on, mended and connected, and
// after convergence_budget (plan.hpp) nothing may be left undone.
#pragma once

#include "relay/core/relay.hpp"
#include "relay/ports/store.hpp"
#include "tools/sim.d/disk.hpp"
#include "tools/sim.d/event_heap.hpp"
#include "tools/sim.d/faults.hpp"
#include "tools/sim.d/field_dropper.hpp"
#include "tools/sim.d/home.hpp"
#include "tools/sim.d/line.hpp"
#include "tools/sim.d/memory_owner.hpp"
#include "tools/sim.d/observer.hpp"
#include "tools/sim.d/payloads.hpp"

#include <memory>
#include <unordered_map>
#include <vector>

namespace tomoshibi::sim {

inline constexpr std::uint32_t family_contacts = 2;  // per home; the second one has quiet hours
inline constexpr relay::quiet_hours night{.from_min = 22 * 60, .until_min = 7 * 60};
// Behind the families'.
constexpr contact_id provider_contact(std::uint32_t homes) { return contact_id{homes * family_contacts + 1}; }

struct run_statistics {
  std::uint64_t events = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t gateway_cuts = 0;
  std::uint64_t line_cuts = 0;
  std::uint64_t relay_cuts = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t mails = 0;
  std::uint64_t sessions = 0;      // connections that came about
  std::size_t gateway_bytes_max = 0;  // memory of one gateway: core, driver, what of its outbox is not on the disk
  std::size_t relay_bytes_max = 0;    // memory of the relay's core
  std::uint64_t trace_hash = 0xcbf29ce484222325;  // FNV-1a over every event's time, kind, home and size
};

class world {
public:
  world(const options& opt, disk_factory& disks);  // the disks outlive the world
  ~world();

  void watch(observer& o) { observers_.push_back(&o); }
  void run();

  const run_statistics& statistics() const { return statistics_; }
  const fault_plan& plan() const { return plan_; }
  relay::store& store() { return *store_; }  // the relay's, while it runs
  std::vector<std::unique_ptr<home>>& homes() { return homes_; }
  mono_time calm_begins() const { return calm_; }
  mono_time end() const { return end_; }
  // An episode bears the time of the relay's clock, which may be so far behind.
  millis relay_behind_max() const;
  bool stood_still() const { return stood_still_; }  // it did not reach its end: see found()
  // Broken bounds, commits that were found there in part, what was left undone at the end.
  const violations& found() const { return found_; }
  // What a home's meter had counted when its first slot was committed; nothing: none was.
  std::uint64_t counter_at_first_slot(std::uint32_t home, std::size_t appliance) const;

private:
  relay::directory make_directory() const;
  void take(const event& e);
  void found(std::string line);

  // world_faults.cpp: beginnings and ends of what was drawn
  void schedule_faults();
  void begin_fault(const drawn_fault& f);
  void end_fault(const drawn_fault& f);
  void begin_home_fault(const drawn_fault& f);
  void begin_line_fault(const drawn_fault& f);
  void begin_relay_fault(const drawn_fault& f);
  void arm(disk& on, const drawn_fault& f);
  void begin_calm();
  void note_device_fault(const drawn_fault& f);
  void note_clock_step(const drawn_fault& f);

  // world_home.cpp: devices, resident, gateway
  void take_home(const event& e);
  void take_gateway(const event& e);
  void home_said(std::uint32_t h);
  void gateway_said(std::uint32_t h);
  bool gateway_does(std::uint32_t h);   // false: the power has just gone, the rest is not done
  void gateway_on(std::uint32_t h);
  void gateway_off(std::uint32_t h, mono_time until);
  void look_at_gateway(std::uint32_t h);  // after a turn
  void arm_home(std::uint32_t h);
  void arm_gateway(std::uint32_t h);

  // world_line.cpp: connections
  void take_line(const event& e);
  void dial(std::uint32_t h, firmware::link_number link);
  void send_to_relay(std::uint32_t h, const firmware::link_send& what);
  void send_to_gateway(const relay::send& what);
  void deliver(const event& e);
  void open_line(std::uint32_t h);
  void lose_connection(std::uint32_t h, bool tell_gateway, bool tell_relay);
  void show_relay_bytes(std::uint32_t h, byte_view data);    // to the observers
  void show_gateway_bytes(std::uint32_t h, byte_view data);
  millis delay(const line& l);

  // world_relay.cpp: relay, commits, mail
  void take_relay(const event& e);
  void relay_said();
  bool relay_does();
  template <class F>
  void relay_turn(F f) {
    const memory_turn turn{memory_owner::relay};
    f(*relay_);
  }
  void arm_relay();
  void start_relay();
  void start_relay_later();
  void relay_off(mono_time until);
  void stop_relay(mono_time until);
  void find_uncertain();
  status commit(const relay::write_batch& batch);
  void show_committed(const relay::write_batch& batch);
  void finish_commit();
  void finish_mail(std::uint32_t number);

  // world_checks.cpp: bounds, and the end
  void inspect();
  void inspect_gateway(std::uint32_t h);
  void inspect_memory(std::uint32_t h);
  void inspect_relay_memory(const relay::health& health);
  void judge_end();

  void push(mono_time at, event_kind kind, std::uint32_t h = 0, std::uint32_t payload = 0, std::uint32_t life = 0) {
    heap_.push({.at = at, .home = h, .payload = payload, .life = life, .kind = kind});
  }
  void report_progress();
  void leak(memory_owner who);  // on purpose, for the test of the bounds
  wall_at wall() const { return wall_of(now_); }
  // What the relay's machine takes for the time: all that its core is ever told.
  wall_at relay_wall() const { return wall() + relay_step_ + relay_drift(now_); }
  millis relay_drift(mono_time at) const { return millis{to_ms(at) * plan_.relay_drift_ppm / 1'000'000}; }
  void set_relay_step(millis by);
  void note_told_time(std::uint32_t h);

  // What the world knows of a gateway beside the home itself.
  struct box {
    mono_time back_at{};                     // when the power comes back
    mono_time lost_from{};                   // power gone, or what is in memory only is lost, since
    bool settled = false;                    // knows the time and has its configuration
    std::optional<mono_time> disk_trouble;   // since when commits may not have become durable
    mono_time disk_bad_until{};              // full or failing, whatever happens to the power
    bool anew = false;                       // its log was begun anew, and what that means is not written down yet
    std::optional<std::uint64_t> unwritten;  // begun anew, and no commit since this many: the next start knows of nothing either
    std::uint32_t cut_after = 0;             // > 0: so many more actions, then the power goes
    bool ticking = false;                    // its shell looks at the clock each minute
    bool misled = false;                     // has no other clock than the relay's, and was told a wrong time
    millis misled_by_max{};                  // the largest of them, either way
    std::uint32_t right_words = 0;           // in this connection, since
    std::optional<slot_index> told;          // newest slot committed at the relay
  };
  struct mail_weather {
    std::uint32_t refused = 0, rejected = 0, answer_lost = 0;  // per mille
    millis delay{};
  };

  options opt_;
  prng random_;
  fault_plan plan_;
  event_heap heap_;
  mono_time now_{};
  mono_time calm_{};  // faults end here
  mono_time end_{};
  std::vector<std::unique_ptr<home>> homes_;
  std::vector<line> lines_;
  std::vector<box> boxes_;
  std::vector<std::vector<std::uint64_t>> first_counters_;  // by home, empty until its first slot is committed
  payloads payloads_;
  field_dropper dropper_;
  std::unique_ptr<relay_disk> disk_;          // the relay's
  std::unique_ptr<relay::store> store_;
  std::unique_ptr<relay::relay_core> relay_;  // nothing while it is down
  millis relay_step_{};                       // its clock was set, and is wrong by this
  mono_time relay_back_{};
  std::uint32_t relay_life_ = 0;
  std::uint32_t relay_cut_after_ = 0;
  mono_time relay_wake_ = never;
  std::optional<relay::commit> commit_;       // the one that is out
  std::optional<relay::write_batch> uncertain_;  // failed or unheard: whether it is durable shows at the next start
  mail_weather weather_;
  std::unordered_map<std::uint32_t, relay::submit_mail> mails_out_;
  std::unordered_map<std::uint64_t, std::uint32_t> home_of_session_;
  std::uint64_t sessions_ = 0;
  std::uint32_t mails_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> leaked_;
  // Scratch, drained at the end of each turn.
  relay::output relay_out_;
  firmware::gateway_output gateway_out_;
  std::vector<drivers::datagram> said_;
  std::vector<observer*> observers_;
  violations found_;
  bool stood_still_ = false;
  run_statistics statistics_;
};

}  // namespace tomoshibi::sim
