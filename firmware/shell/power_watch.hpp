// Mains and battery of the box, from /sys/class/power_supply: what lasts for two looks becomes a trouble, so that a flicker
// of the mains is none. A box that knows of no mains or no battery has no such trouble.
//
//   mains lost    supplies of type Mains or USB are there, and none of them is online
//   battery low   a battery says Low or Critical, or has battery_low_percent or less; over at battery_fine_percent
//
// Batteries of other devices (scope "Device": a mouse) do not count. Source: Documentation/ABI/testing/sysfs-class-power.
#pragma once

#include "protocol/adapters/event_loop.hpp"

#include <string>

namespace tomoshibi::firmware {

inline constexpr millis power_every = 5s;
inline constexpr int battery_low_percent = 20;
inline constexpr int battery_fine_percent = 30;
inline constexpr std::size_t supplies_max = 32;    // further ones are not looked at

struct power_state {
  bool mains_lost = false;
  bool battery_low = false;
  bool operator==(const power_state&) const = default;
};

// As the files are now. `before`: for what lies between low and fine.
power_state read_power(const std::string& folder, const power_state& before);

class power_watch {
public:
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_power(const power_state& now) = 0;    // only when it changes
  };
  power_watch(event_loop& loop, std::string folder, log_sink& log, listener& events, millis every = power_every);

private:
  void look();
  event_loop& loop_;
  std::string folder_;
  logger log_;
  listener* events_;
  millis every_;
  loop_timer timer_;
  power_state told_, seen_;
};

}  // namespace tomoshibi::firmware
