#include "tools/home/timeline.hpp"

#include "tools/home/by_time.hpp"
#include "tools/replay/iso_time.hpp"

#include <algorithm>

namespace tomoshibi::home {
namespace {

using changes = std::vector<device_change>;

std::string where(const mapped_device& d, const record_event& e) {
  return "channel '" + d.channel + "' at " + replay::format_iso_time(e.at) + ": ";
}

// Collects the changes of one device.
class device_line {
public:
  device_line(const mapped_device& device, std::uint16_t index, changes& out)
      : device_(device), index_(index), hold_(std::chrono::seconds{device.hold_s}), out_(out) {}

  status take(const record_event& e) {
    switch (device_.meaning) {
      case channel_meaning::event: return take_event(e);
      case channel_meaning::on_off: return take_on_off(e);
      case channel_meaning::watts: break;
    }
    out_.push_back({.at = e.at, .device = index_, .used = e.value > 0, .watts = e.value});
    return {};
  }

  void finish() {
    if (device_.meaning == channel_meaning::event && used_) add(until_, false);
  }

private:
  status take_event(const record_event& e) {
    if (e.value != 1) return fail(errc::config_invalid, where(device_, e) + "an event has the value 1");
    if (used_ && e.at > until_) add(until_, false);
    if (!used_) add(e.at, true);
    until_ = e.at + hold_;
    return {};
  }
  status take_on_off(const record_event& e) {
    if (e.value > 1) return fail(errc::config_invalid, where(device_, e) + "on_off has the values 1 and 0");
    if (used_ != (e.value == 1)) add(e.at, e.value == 1);
    return {};
  }
  void add(wall_at at, bool used) {
    used_ = used;
    out_.push_back({.at = at, .device = index_, .used = used, .watts = {}});
  }

  const mapped_device& device_;
  std::uint16_t index_;
  millis hold_;
  changes& out_;
  bool used_ = false;
  wall_at until_{};
};

}  // namespace

result<changes> make_timeline(const record& from, const mapping& map) {
  changes out;
  for (std::size_t i = 0; i < map.devices.size(); ++i) {
    const mapped_device& device = map.devices[i];
    if (device.channel.empty()) continue;  // pressed by hand only
    const auto channel = std::ranges::find(from.channels, device.channel);
    if (channel == from.channels.end())
      return fail(errc::config_invalid, "the record has no channel '" + device.channel + "'");
    const auto index = static_cast<std::uint16_t>(channel - from.channels.begin());
    device_line line(device, static_cast<std::uint16_t>(i), out);
    for (const record_event& e : from.events) {
      if (e.channel != index) continue;
      if (const auto taken = line.take(e); !taken) return std::unexpected(taken.error());
    }
    line.finish();
  }
  sort_by_time(out);
  return out;
}

}  // namespace tomoshibi::home
