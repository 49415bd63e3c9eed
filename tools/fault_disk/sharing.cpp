#include "tools/fault_disk/sharing.hpp"

#include <algorithm>

namespace tomoshibi::fault_disk {

bool file_lock::others_at_least(const void* owner, int least) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& h) { return h.first != owner && h.second >= least; });
}

bool file_lock::lock(const void* owner, int wanted) {
  int& mine = held_[owner];
  if (mine >= wanted) return true;
  if (wanted == shared) {
    if (others_at_least(owner, pending)) return false;
  } else if (others_at_least(owner, reserved)) {
    return false;
  } else if (wanted == exclusive && others_at_least(owner, shared)) {
    mine = pending;  // no new reader comes in while we wait for the last one
    return false;
  }
  mine = wanted;
  return true;
}

void file_lock::unlock(const void* owner, int wanted) {
  if (const auto mine = held_.find(owner); mine != held_.end() && mine->second > wanted) mine->second = wanted;
  if (wanted == none) held_.erase(owner);
}

shared_memory::region_ptr shared_memory::map(std::size_t region, std::size_t bytes, bool extend) {
  if (region >= regions_.size()) {
    if (!extend) return nullptr;
    while (regions_.size() <= region) regions_.push_back(std::make_shared<std::uint64_t[]>((bytes + 7) / 8));
  }
  return regions_[region];
}

bool shared_memory::lock(const void* owner, int first, int count, bool exclusive) {
  for (const auto& [who, holds] : held_) {
    if (who == owner) continue;
    for (int i = first; i < first + count; ++i) {
      const hold h = holds[static_cast<std::size_t>(i)];
      if (h == hold::exclusive || (exclusive && h == hold::shared)) return false;
    }
  }
  for (int i = first; i < first + count; ++i)
    held_[owner][static_cast<std::size_t>(i)] = exclusive ? hold::exclusive : hold::shared;
  return true;
}

void shared_memory::unlock(const void* owner, int first, int count) {
  for (int i = first; i < first + count; ++i) held_[owner][static_cast<std::size_t>(i)] = hold::none;
}

}  // namespace tomoshibi::fault_disk
