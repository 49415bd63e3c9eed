// A queue with a limit: push answers false when full, and the caller decides what overflow means.
#pragma once

#include "protocol/base/check.hpp"

#include <cstddef>
#include <deque>
#include <utility>

namespace tomoshibi {

template <class T>
class bounded_queue {
public:
  explicit bounded_queue(std::size_t size_max) : size_max_(size_max) {}
  [[nodiscard]] bool push(T value) {
    if (items_.size() >= size_max_) return false;
    items_.push_back(std::move(value));
    return true;
  }
  T pop() {
    TOMO_REQUIRE(!items_.empty());
    T out = std::move(items_.front());
    items_.pop_front();
    return out;
  }
  const T& front() const { TOMO_REQUIRE(!items_.empty()); return items_.front(); }
  bool empty() const { return items_.empty(); }
  bool full() const { return items_.size() >= size_max_; }
  std::size_t size() const { return items_.size(); }
  void clear() { items_.clear(); }

private:
  std::deque<T> items_;
  std::size_t size_max_;
};

}  // namespace tomoshibi
