// The simulated world: homes, one relay, the lines between them and a mail server, moved by one heap of events.
//
// Production cores throughout; only shells are played here. Everything follows from options.seed: the same seed gives the
// same trace hash, on any machine. What outlives a power cut lies on the disks of a factory (disk.hpp).
#pragma once

#include "relay/core/relay.hpp"
#include "relay/ports/store.hpp"
#include "tools/sim.d/disk.hpp"
#include "tools/sim.d/event_heap.hpp"
#include "tools/sim.d/home.hpp"
#include "tools/sim.d/line.hpp"
#include "tools/sim.d/observer.hpp"
#include "tools/sim.d/payloads.hpp"

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace tomoshibi::sim {

inline constexpr std::uint32_t family_contacts = 1;  // per home

struct run_statistics {
  std::uint64_t events = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t gateway_cuts = 0;
  std::uint64_t line_cuts = 0;
  std::uint64_t relay_cuts = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t mails = 0;
  std::uint64_t trace_hash = 0xcbf29ce484222325;  // FNV-1a over every event's time, kind and home
};

class world {
public:
  world(const options& opt, disk_factory& disks);  // the disks outlive the world
  ~world();

  void watch(observer& o) { observers_.push_back(&o); }
  void run();

  const run_statistics& statistics() const { return statistics_; }
  relay::store& store() { return *store_; }  // the relay's, while it runs
  std::vector<std::unique_ptr<home>>& homes() { return homes_; }
  mono_time end() const { return end_; }
  const violations& torn() const { return torn_; }  // commits that were found there in part
  // Faults that touched a home: whether its slot may honestly be unknown.
  bool blind_allowed(std::uint32_t home, slot_index slot) const;
  // The twin's meter when the home's first slot was committed, and an hour before the end.
  std::uint64_t counter_at_first_slot(std::uint32_t home, appliance_id appliance) const;
  std::uint64_t counter_before_end(std::uint32_t home, appliance_id appliance) const;

private:
  relay::directory make_directory() const;
  void schedule_faults();
  void take(const event& e);

  // world_home.cpp: devices, resident, gateway
  void take_home(const event& e);
  void take_gateway(const event& e);
  void home_said(std::uint32_t h);
  void gateway_said(std::uint32_t h);
  void arm_home(std::uint32_t h);
  void arm_gateway(std::uint32_t h);

  // world_line.cpp: connections
  void take_line(const event& e);
  void dial(std::uint32_t h, firmware::link_number link);
  void send_to_relay(std::uint32_t h, const firmware::link_send& what);
  void send_to_gateway(const relay::send& what);
  void lose_connection(std::uint32_t h, bool tell_gateway, bool tell_relay);
  void show(std::uint32_t h, byte_view data);  // what the relay sent, to the observers
  millis delay();

  // world_relay.cpp: relay, commits, mail
  void take_relay(const event& e);
  void relay_said();
  void arm_relay();
  void start_relay();
  void cut_relay();
  void start_relay_later();
  void finish_commit();
  void finish_mail(std::uint32_t number);
  void cut_relay_for_a_while();
  void find_uncertain();
  status commit(const relay::write_batch& batch);
  void show_committed(const relay::write_batch& batch);

  void push(mono_time at, event_kind kind, std::uint32_t h = 0, std::uint32_t payload = 0, std::uint32_t life = 0) {
    heap_.push({.at = at, .home = h, .payload = payload, .life = life, .kind = kind});
  }
  void report_progress();

  options opt_;
  prng random_;
  fault_weights weights_;
  event_heap heap_;
  mono_time now_{};
  mono_time calm_{};  // faults end here
  mono_time end_{};
  std::vector<std::unique_ptr<home>> homes_;
  std::vector<line> lines_;
  std::vector<std::vector<outage>> gateway_outages_;
  using counters = std::vector<std::uint64_t>;  // by appliance
  counters read_meters(std::uint32_t h);
  std::vector<counters> first_counters_;        // by home, empty until its first slot is committed
  std::vector<counters> last_counters_;
  payloads payloads_;
  std::unique_ptr<relay_disk> disk_;          // the relay's
  std::unique_ptr<relay::store> store_;
  std::unique_ptr<relay::relay_core> relay_;  // nothing while it is down
  std::uint32_t relay_life_ = 0;
  mono_time relay_wake_ = never;
  std::optional<relay::commit> commit_;       // the one that is out
  std::optional<relay::write_batch> uncertain_;  // failed or unheard: whether it is durable shows at the next start
  violations torn_;
  std::unordered_map<std::uint32_t, relay::submit_mail> mails_out_;
  std::unordered_map<std::uint64_t, std::uint32_t> home_of_session_;
  std::uint64_t sessions_ = 0;
  std::uint32_t mails_ = 0;
  // Scratch, drained at the end of each turn.
  relay::output relay_out_;
  firmware::gateway_output gateway_out_;
  std::vector<drivers::datagram> said_;
  std::vector<observer*> observers_;
  run_statistics statistics_;
};

}  // namespace tomoshibi::sim
