// Device reports and faults as records: which appliance they are of, and when.
//
// Before time is known they wait (bounded, the oldest give way), because a report without a time tells a family nothing.
// Reports of devices that serve no appliance are the inventory; a home network full of strangers must not push slots
// out of the outbox, so there is a limit to them.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/slot_clock.hpp"
#include "protocol/wire/messages.hpp"

#include <deque>
#include <span>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr std::size_t untimed_reports_max = 256;
inline constexpr std::uint32_t inventory_reports_max = 64;  // in each slot_length

class device_log {
public:
  void on_presence(mono_time now, const drivers::device_presence& presence,
                   std::span<const wire::watched_appliance> appliances);
  void on_fault(mono_time now, const drivers::device_fault& fault, std::span<const wire::watched_appliance> appliances);
  // What can be recorded now; nothing while no time is known.
  bool empty() const { return waiting_.empty(); }
  std::vector<wire::record> take(const slot_clock& clock);
  std::uint64_t dropped() const { return dropped_; }

private:
  struct entry {
    mono_time at{};
    mono_time since{};
    wire::record record;
  };
  void add(entry added);
  bool inventory_full(mono_time now);

  std::deque<entry> waiting_;
  mono_time period_start_{};
  std::uint32_t in_period_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tomoshibi::firmware
