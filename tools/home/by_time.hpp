// Sorting by the member `at` that leaves what is of one moment in its order. (std::stable_sort would do, but libstdc++'s
// uses an algorithm that clang reports as deprecated.)
#pragma once

#include "protocol/base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tomoshibi::home {

template <class T>
void sort_by_time(std::vector<T>& items) {
  if (std::ranges::is_sorted(items, {}, &T::at)) return;
  std::vector<std::pair<wall_at, std::size_t>> order;
  order.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(items[i].at, i);
  std::ranges::sort(order);
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const auto& [at, i] : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

}  // namespace tomoshibi::home
