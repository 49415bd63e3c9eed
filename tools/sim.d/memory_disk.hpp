// The disks of the fast tier: everything in memory, faults counted in calls.
#pragma once

#include "protocol/base/prng.hpp"
#include "tools/sim.d/disk.hpp"

#include <optional>

namespace tomoshibi::sim {

class memory_disks final : public disk_factory {
public:
  std::unique_ptr<gateway_disk> gateway(std::uint32_t home, std::uint64_t seed) override;
  std::unique_ptr<relay_disk> relay(const relay::directory& all, std::uint64_t seed) override;
};

// Which of the armed faults a call meets; shared by both kinds of disk.
class armed_faults {
public:
  explicit armed_faults(std::uint64_t seed) : random_(seed) {}
  void arm(const disk_fault& f);
  void clear() { commits_ = reads_ = {}; }

  enum class verdict : std::uint8_t { go_on, fails, fails_late, full, lost, unheard };  // lost, unheard: and the power is gone
  verdict on_commit();
  bool read_fails();
  prng& random() { return random_; }

private:
  struct window {
    disk_fault what;
    std::uint64_t calls = 0;
  };
  prng random_;
  std::optional<window> commits_;  // at most one of each is armed; a later one replaces it
  std::optional<window> reads_;
};

}  // namespace tomoshibi::sim
