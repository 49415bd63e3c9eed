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
  std::size_t in_flight() const { return slots_.size() - free_.size(); }

private:
  std::vector<bytes> slots_;
  std::vector<std::uint32_t> free_;
};

// What is on its way in one direction of a line, in order, whatever order the events of its arrival have.
class payload_queue {
public:
  void push(std::uint32_t payload) { waiting_.push_back(payload); }
  bool empty() const { return first_ == waiting_.size(); }
  std::uint32_t pop() {
    const std::uint32_t out = waiting_[first_++];
    if (empty()) clear();
    return out;
  }
  void drop_all(payloads& from) {
    while (!empty()) from.drop(pop());
  }

private:
  void clear() {
    waiting_.clear();
    first_ = 0;
  }
  std::vector<std::uint32_t> waiting_;
  std::size_t first_ = 0;
};

}  // namespace tomoshibi::sim
