// All nodes of a simulated home, following a timeline. No socket, no clock: the shell hands it datagrams and wake-ups.
#pragma once

#include "drivers/echonet/twin/twin_node.hpp"
#include "tools/home/fault_script.hpp"
#include "tools/home/timeline.hpp"

#include <cstdint>
#include <string>
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

// Somebody presses a button, or lets go of it.
struct hand_on_button {
  std::string node;                      // its name in the mapping
  drivers::echonet::eoj object;
  bool pressed = true;
  drivers::echonet::twin::notice tell = drivers::echonet::twin::notice::inf;
  millis hold{0};                        // let go of after so long; 0: not by itself
};
inline constexpr std::size_t hands_max = 64;  // that hold a button at a time

class household {
public:
  // `timeline` by time. What happened before the start is applied silently: devices wake up in the state they are in.
  household(const mapping& map, std::vector<device_change> timeline, const std::vector<scripted_fault>& faults,
            const household_options& options);

  void on_start(mono_time now, std::vector<outgoing>& out);
  void on_datagram(mono_time now, std::size_t node, const endpoint& from, byte_view payload, std::vector<outgoing>& out);
  void on_wake(mono_time now, std::vector<outgoing>& out);
  mono_time next_wake() const;
  // False: no such device, or too many hands.
  bool touch(mono_time now, const hand_on_button& hand, std::vector<outgoing>& out);

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
  std::vector<std::string> node_names_;
  struct held_button {
    mono_time until;
    hand_on_button hand;                 // that lets go then
  };
  std::vector<held_button> held_;
  std::vector<device_change> timeline_;
  std::size_t next_change_ = 0;
  std::vector<drivers::datagram> scratch_;
};

}  // namespace tomoshibi::home
