// What the relay's pages show, as one value taken between two turns; and the judgement whether that is fine.
#pragma once

#include "relay/core/emergency/emergency_health.hpp"
#include "relay/core/health.hpp"
#include "relay/shell/device_channel.hpp"
#include "relay/shell/receipt_times.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::relay {

// How long commits took, in real time.
class commit_times {
public:
  static constexpr std::array<std::uint32_t, 8> bounds_ms{1, 5, 10, 50, 100, 500, 1000, 5000};
  void add(std::chrono::microseconds took);
  std::uint64_t count() const { return count_; }
  std::chrono::microseconds sum() const { return sum_; }
  std::chrono::microseconds last() const { return last_; }
  std::uint64_t at_most(std::size_t bound) const { return at_most_[bound]; }  // how many took bounds_ms[bound] or less

private:
  std::array<std::uint64_t, bounds_ms.size()> at_most_{};
  std::uint64_t count_ = 0;
  std::chrono::microseconds sum_{};
  std::chrono::microseconds last_{};
};

struct relay_view {
  relay::health core;
  std::optional<emergency_health> emergency = {};  // nothing: that part is not enabled
  receipt_times receipts = {};                     // of it
  device_channel_counts device;
  commit_times commits;
  std::uint64_t checks_failed = 0;
  bool mail_server_set = false;
  bool stopping = false;
  std::optional<wall_at> certificate_from;   // the later of the two beginnings
  std::optional<wall_at> certificate_until;  // the end of the relay's certificate or its CA's, whichever is sooner
  wall_at started{};
  wall_at now{};
  std::string version;
};

inline constexpr millis mail_age_fine_max = 15min;
inline constexpr millis certificate_left_fine_min = 60 * 24h;  // time to issue another and to take it to the relay
inline constexpr std::chrono::milliseconds commit_fine_max{2'000};

// The emergency part's share of it.
void add_emergency_reasons(const relay_view& v, std::vector<std::string>& out);

// Why the relay needs somebody's eyes; empty: all is fine. Short sentences, without names.
std::vector<std::string> degraded_reasons(const relay_view& v);

std::string metrics_text(const relay_view& v);  // Prometheus text format 0.0.4
std::string health_json(const relay_view& v);   // {"status":"ok"|"degraded","reasons":[...], ...} and LF
std::string emergency_block(const relay_view& v);  // of that page; empty where the part is not enabled
std::string health_page(const relay_view& v);   // HTML

// The same as one line, for the control socket.
std::string status_json(const relay_view& v);

}  // namespace tomoshibi::relay
