// Bytes in flight, kept out of the heap's events; buffers are used again.
#pragma once

#include "protocol/base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace tomoshibi::sim {

class payloads {
public:
  std::uint32_t keep(byte_view data) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t i = free_.back();
    free_.pop_back();
    slots_[i].assign(data.begin(), data.end());
    return i;
  }
  // The bytes, until the next keep(); the slot is free again after drop().
  const bytes& at(std::uint32_t i) const { return slots_[i]; }
  void drop(std::uint32_t i) { free_.push_back(i); }

private:
  std::vector<bytes> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace tomoshibi::sim
