// Which call to the disk goes wrong: the n-th from now, of one kind or of all.
#pragma once

#include <cstdint>
#include <optional>

namespace tomoshibi::fault_disk {

enum class call : std::uint8_t { open, read, write, sync, truncate, size, remove, rename, access, lock, unlock, shm_map, shm_lock };
inline constexpr call every_call[] = {call::open, call::read, call::write, call::sync, call::truncate, call::size, call::remove,
                                      call::rename, call::access, call::lock, call::unlock, call::shm_map, call::shm_lock};
const char* name_of(call what);
// Calls that change what is on the medium: power goes at these boundaries, anywhere else would be the same as before.
constexpr bool changes_medium(call what) {
  return what == call::write || what == call::sync || what == call::truncate || what == call::remove || what == call::rename ||
         what == call::open;
}

enum class trouble : std::uint8_t {
  io,          // the call fails
  full,        // a write fails for want of space, others fail as io
  short_read,  // a read brings half of the bytes and zeros, others fail as io
};

struct fault {
  std::uint64_t nth = 1;             // 1: the next one
  std::uint64_t times = 1;           // so many in a row
  trouble how = trouble::io;
  std::optional<call> only{};        // nothing: any call
};

class fault_plan {
public:
  void arm(const fault& f) {
    fault_ = f;
    seen_ = 0;
  }
  void heal() { fault_.reset(); }
  std::uint64_t hit() const { return hit_; }  // faults that were met, ever
  std::optional<trouble> meets(call what) {
    if (!fault_ || (fault_->only && *fault_->only != what)) return std::nullopt;
    ++seen_;
    if (seen_ < fault_->nth || seen_ - fault_->nth >= fault_->times) return std::nullopt;
    ++hit_;
    return fault_->how;
  }

private:
  std::optional<fault> fault_;
  std::uint64_t seen_ = 0;
  std::uint64_t hit_ = 0;
};

}  // namespace tomoshibi::fault_disk
