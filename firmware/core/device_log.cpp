#include "firmware/core/device_log.hpp"

#include "firmware/core/watch.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

wire::device_change change_of(drivers::presence_change change) {
  switch (change) {
    case drivers::presence_change::found: return wire::device_change::found;
    case drivers::presence_change::moved: return wire::device_change::moved;
    case drivers::presence_change::silent: return wire::device_change::silent;
    case drivers::presence_change::back: return wire::device_change::back;
  }
  return wire::device_change::found;
}

// The appliances a device serves; one "none" for a device that serves none.
std::vector<std::optional<appliance_id>> served(std::string_view device, std::uint32_t eoj,
                                                std::span<const wire::watched_appliance> appliances) {
  std::vector<std::optional<appliance_id>> out;
  for (const auto& appliance : appliances) {
    if (serves(appliance, device, eoj)) out.push_back(appliance.appliance);
  }
  if (out.empty()) out.push_back(std::nullopt);
  return out;
}

}  // namespace

bool device_log::inventory_full(mono_time now) {
  if (now - period_start_ >= slot_length) {
    period_start_ = now;
    in_period_ = 0;
  }
  return ++in_period_ > inventory_reports_max;
}

void device_log::add(entry added) {
  if (waiting_.size() >= untimed_reports_max) {
    waiting_.pop_front();
    ++dropped_;
  }
  waiting_.push_back(std::move(added));
}

void device_log::on_presence(mono_time now, const drivers::device_presence& presence,
                             std::span<const wire::watched_appliance> appliances) {
  if (presence.device.size() > wire::device_key_max) return;
  for (const auto& appliance : served(presence.device, presence.eoj, appliances)) {
    if (!appliance && inventory_full(now)) {
      ++dropped_;
      return;
    }
    wire::device_report report;
    report.device = presence.device;
    report.change = change_of(presence.change);
    report.maker = presence.maker;
    report.appliance = appliance;
    const bool was_heard = presence.change == drivers::presence_change::silent && presence.since != mono_time{};
    add({now, was_heard ? std::min(presence.since, now) : now, {report, {}}});
  }
}

void device_log::on_fault(mono_time now, const drivers::device_fault& fault,
                          std::span<const wire::watched_appliance> appliances) {
  if (fault.device.size() > wire::device_key_max) return;
  for (const auto& appliance : served(fault.device, fault.eoj, appliances)) {
    if (!appliance && inventory_full(now)) {
      ++dropped_;
      return;
    }
    add({now, now, {wire::device_fault{fault.device, fault.faulty, fault.description, appliance}, {}}});
  }
}

std::vector<wire::record> device_log::take(const slot_clock& clock) {
  std::vector<wire::record> out;
  if (!clock.known()) return out;
  for (auto& e : waiting_) {
    e.record.made = std::max(clock.wall(e.at), wall_at{});
    if (auto* report = std::get_if<wire::device_report>(&e.record.body)) {
      report->since = std::max(clock.wall(e.since), wall_at{});
    }
    out.push_back(std::move(e.record));
  }
  waiting_.clear();
  return out;
}

}  // namespace tomoshibi::firmware
