// What several connections to one file share in memory: SQLite's file lock and the shared memory of its write-ahead log.
// Connections are told apart by an opaque owner. The rules are those of sqlite3_io_methods.xLock and xShmLock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace tomoshibi::fault_disk {

class file_lock {
public:
  enum level : int { none = 0, shared = 1, reserved = 2, pending = 3, exclusive = 4 };
  bool lock(const void* owner, int wanted);  // false: busy
  void unlock(const void* owner, int wanted);
  bool reserved_by_any() const { return others_at_least(nullptr, reserved); }

private:
  bool others_at_least(const void* owner, int least) const;
  std::map<const void*, int> held_;
};

class shared_memory {
public:
  static constexpr int locks_max = 8;
  // A region lives as long as a connection holds it, though a power cut has forgotten it. nullptr: not there and not to be made.
  using region_ptr = std::shared_ptr<std::uint64_t[]>;
  region_ptr map(std::size_t region, std::size_t bytes, bool extend);
  bool lock(const void* owner, int first, int count, bool exclusive);
  void unlock(const void* owner, int first, int count);
  void forget(const void* owner) { held_.erase(owner); }

private:
  enum class hold : std::uint8_t { none, shared, exclusive };
  std::map<const void*, std::array<hold, locks_max>> held_;
  std::vector<region_ptr> regions_;
};

}  // namespace tomoshibi::fault_disk
