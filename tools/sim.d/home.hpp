// One simulated home: a resident with habits, a node of appliances (twins), and the production gateway with its driver.
//
// The home owns the gateway's disk, which outlives power cuts, and loses the gateway itself at each cut. The world hands
// it events and carries out what it says. All times are the world's: the gateway's own clock may run fast or slow.
#pragma once

#include "drivers/echonet/twin/twin_node.hpp"
#include "firmware/core/gateway.hpp"
#include "relay/core/directory.hpp"
#include "tools/sim.d/disk.hpp"
#include "tools/sim.d/faults.hpp"
#include "tools/sim.d/habits.hpp"
#include "tools/sim.d/plan.hpp"
#include "tools/sim.d/truth.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace tomoshibi::sim {

wall_at wall_of(mono_time t);  // the true calendar; mono_time{} is the start of the run, everywhere
inline constexpr millis lan_delay = 2ms;    // every datagram in the home takes so long
inline constexpr const char* node_address = "192.0.2.10";
inline constexpr const char* gateway_address = "192.0.2.1";

struct simulated_appliance {
  wire::watched_appliance spec;
  std::optional<std::uint16_t> quiet_days;
  std::vector<use> uses;
  std::vector<bool> truth;      // on_slots(uses)
  std::size_t next_use = 0;     // the use that is on or comes next
  bool in_use = false;
};

class home {
public:
  home(std::uint32_t number, const options& opt, const home_traits& traits, prng random, disk_factory& disks);

  std::uint32_t number() const { return number_; }
  const std::vector<simulated_appliance>& appliances() const { return appliances_; }
  home_truth& truth() { return truth_; }
  millis gap_limit() const { return gap_limit_; }

  // ---- the resident and the devices
  void start_devices(mono_time now, std::vector<drivers::datagram>& said);
  void on_home_wake(mono_time now, std::vector<drivers::datagram>& said);
  void on_home_datagram(mono_time now, byte_view payload, std::vector<drivers::datagram>& said);
  mono_time home_next() const;
  void begin_device_fault(mono_time now, const drawn_fault& f, std::vector<drivers::datagram>& said);
  void end_device_fault(mono_time now, const drawn_fault& f, std::vector<drivers::datagram>& said);
  bool metered(std::size_t appliance) const { return metered_[appliance]; }
  std::uint64_t counted_wh(std::size_t appliance, mono_time now);  // since the run began

  // ---- the gateway; nothing while the power is cut
  void power_up(mono_time now, firmware::gateway_output& out);
  void power_cut(mono_time now);
  bool on() const { return gateway_ != nullptr; }
  gateway_disk& flash() { return *flash_; }
  std::uint32_t boots() const { return boots_; }
  const firmware::gateway_statistics& statistics() const { return gateway_->statistics(); }
  std::uint32_t config_version() const { return gateway_->config().version; }

  void on_datagram(mono_time now, byte_view payload, firmware::gateway_output& out);
  void on_link_open(mono_time now, firmware::link_number link, firmware::gateway_output& out);
  void on_link_bytes(mono_time now, firmware::link_number link, byte_view data, firmware::gateway_output& out);
  void on_link_closed(mono_time now, firmware::link_number link, errc why, firmware::gateway_output& out);
  void on_wake(mono_time now, firmware::gateway_output& out);
  void on_stop(mono_time now, firmware::gateway_output& out);
  void on_clock(mono_time now, firmware::gateway_output& out);     // its shell looks at the machine's clock
  void set_clock_error(millis by) { clock_error_ = by; }
  mono_time gateway_next() const;
  const home_traits& traits() const { return traits_; }

private:
  void plug_in(std::uint32_t eoj, wire::on_rule_kind rule, const habit& how, std::optional<std::uint16_t> quiet_days,
               prng random, const options& opt);
  void make_node();
  void swap_node(mono_time now, std::vector<drivers::datagram>& said);
  void note_arrivals(mono_time now, byte_view payload);
  firmware::system_clock_reading machine_clock(mono_time now) const;
  // The gateway's own clock, and back: not earlier than meant.
  mono_time local(mono_time world) const;
  mono_time world(mono_time local) const;

  std::uint32_t number_;
  home_traits traits_;
  firmware::keep_alive line_;
  millis gap_limit_;
  prng random_;
  std::vector<simulated_appliance> appliances_;
  std::vector<bool> metered_;
  home_truth truth_;
  std::uint32_t swaps_ = 0;
  bool named_ = true;                    // the gateway has heard who the devices are since the last swap
  mono_time doubted_until_{};            // what arrives until then may be garbled, late or of a foreign TID: not believed
  std::unique_ptr<drivers::echonet::twin::twin_node> node_;
  std::unique_ptr<gateway_disk> flash_;
  std::unique_ptr<firmware::outbox_store> store_;
  std::unique_ptr<drivers::driver> driver_;
  std::array<drivers::driver*, 1> drivers_{};
  std::unique_ptr<firmware::gateway> gateway_;
  std::uint32_t boots_ = 0;
  millis clock_error_{};
};

}  // namespace tomoshibi::sim
