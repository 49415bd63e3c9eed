// All nodes of a simulated home, following a timeline. No socket, no clock: the shell hands it datagrams and wake-ups.
#pragma once

#include "drivers/echonet/twin/twin_node.hpp"
#include "tools/home/fault_script.hpp"
#include "tools/home/timeline.hpp"

#include <cstdint>
#include <vector>

namespace tomoshibi::home {

struct household_options {
  wall_at start{};                       // the home's wall time ...
  mono_time mono_start{};                // ... at this moment
  std::uint64_t seed = 1;
};

struct outgoing {
  std::size_t node = 0;                  // index into mapping::nodes
  drivers::datagram what;
};

class household {
public:
  // `timeline` by time. What happened before the start is applied silently: devices wake up in the state they are in.
  household(const mapping& map, std::vector<device_change> timeline, const std::vector<scripted_fault>& faults,
            const household_options& options);

  void on_start(mono_time now, std::vector<outgoing>& out);
  void on_datagram(mono_time now, std::size_t node, const endpoint& from, byte_view payload, std::vector<outgoing>& out);
  void on_wake(mono_time now, std::vector<outgoing>& out);
  mono_time next_wake() const;

  bool finished() const { return next_change_ == timeline_.size(); }
  std::size_t changes_played() const { return next_change_; }
  std::size_t changes() const { return timeline_.size(); }

private:
  mono_time mono_of(wall_at t) const { return options_.mono_start + (t - options_.start); }
  void add_devices(const mapping& map);
  void add_faults(const mapping& map, const std::vector<scripted_fault>& faults);
  void play(mono_time now, const device_change& change, bool tell, std::vector<outgoing>& out);
  void take(std::size_t node, std::vector<outgoing>& out);

  struct placed_device {
    std::size_t node = 0;
    drivers::echonet::eoj eoj;
  };
  household_options options_;
  std::vector<drivers::echonet::twin::twin_node> nodes_;
  std::vector<placed_device> devices_;
  std::vector<device_change> timeline_;
  std::size_t next_change_ = 0;
  std::vector<drivers::datagram> scratch_;
};

}  // namespace tomoshibi::home
