// The disks of the deep tier: the daemons' own SQLite stores on a disk in memory that loses and tears what was not synced
// (tools/fault_disk). Faults meet single calls of SQLite to the disk: a commit that "fails" fails at any one of its writes
// or syncs, a torn one loses the power between two of them. A home costs about 200 KiB of disk and SQLite's page cache.
#pragma once

#include "tools/sim.d/disk.hpp"

namespace tomoshibi::sim {

class sqlite_disks final : public disk_factory {
public:
  std::unique_ptr<gateway_disk> gateway(std::uint32_t home, std::uint64_t seed) override;
  std::unique_ptr<relay_disk> relay(const relay::directory& all, std::uint64_t seed) override;
};

}  // namespace tomoshibi::sim
