// One simulated home: a resident with habits, a node of appliances (twins), and the production gateway with its driver.
//
// The home owns the gateway's disk, which outlives power cuts, and loses the gateway itself at each cut.
// The world hands it events and carries out what it says.
#pragma once

#include "drivers/echonet/twin/twin_node.hpp"
#include "firmware/core/gateway.hpp"
#include "relay/core/directory.hpp"
#include "tools/sim.d/disk.hpp"
#include "tools/sim.d/habits.hpp"
#include "tools/sim.d/plan.hpp"

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
  home(std::uint32_t number, const options& opt, prng random, disk_factory& disks);

  std::uint32_t number() const { return number_; }
  const std::vector<simulated_appliance>& appliances() const { return appliances_; }

  // ---- the resident and the devices
  void start_devices(mono_time now, std::vector<drivers::datagram>& said);
  void on_home_wake(mono_time now, std::vector<drivers::datagram>& said);
  void on_home_datagram(mono_time now, byte_view payload, std::vector<drivers::datagram>& said);
  mono_time home_next() const;
  bool metered(const simulated_appliance& a) const;
  std::uint32_t counter_wh(const simulated_appliance& a, mono_time now);

  // ---- the gateway; nothing while the power is cut
  void power_up(mono_time now, firmware::gateway_output& out);
  void power_cut();
  gateway_disk& flash() { return *flash_; }
  firmware::gateway* gateway() { return gateway_.get(); }
  std::uint32_t boots() const { return boots_; }

private:
  void plug_in(std::uint32_t eoj, wire::on_rule_kind rule, const habit& how, std::optional<std::uint16_t> quiet_days,
               prng random, const options& opt);

  std::uint32_t number_;
  firmware::keep_alive line_;
  prng random_;
  std::vector<simulated_appliance> appliances_;
  drivers::echonet::twin::twin_node node_;
  std::unique_ptr<gateway_disk> flash_;
  std::unique_ptr<firmware::outbox_store> store_;
  std::unique_ptr<drivers::driver> driver_;
  std::array<drivers::driver*, 1> drivers_{};
  std::unique_ptr<firmware::gateway> gateway_;
  std::uint32_t boots_ = 0;
};

}  // namespace tomoshibi::sim
