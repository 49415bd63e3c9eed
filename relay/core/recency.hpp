// Who was touched how long ago, for time-outs of one length: the oldest is always in front. O(log n) a touch.
#pragma once

#include "protocol/base/time.hpp"

#include <list>
#include <map>
#include <optional>
#include <utility>

namespace tomoshibi::relay {

template <class Key>
class recency {
public:
  // `at` never goes back from one call to the next.
  void touch(const Key& key, mono_time at) {
    const auto found = where_.find(key);
    if (found == where_.end()) {
      order_.emplace_back(key, at);
      where_.emplace(key, std::prev(order_.end()));
      return;
    }
    found->second->second = at;
    order_.splice(order_.end(), order_, found->second);
  }
  bool contains(const Key& key) const { return where_.contains(key); }
  void erase(const Key& key) {
    const auto found = where_.find(key);
    if (found == where_.end()) return;
    order_.erase(found->second);
    where_.erase(found);
  }
  // The oldest one, if it was last touched `age` or longer before `now`.
  std::optional<Key> overdue(mono_time now, millis age) const {
    if (order_.empty() || now - order_.front().second < age) return std::nullopt;
    return order_.front().first;
  }
  mono_time next(millis age) const { return order_.empty() ? never : order_.front().second + age; }
  std::size_t size() const { return where_.size(); }

private:
  std::list<std::pair<Key, mono_time>> order_;
  std::map<Key, typename std::list<std::pair<Key, mono_time>>::iterator> where_;
};

}  // namespace tomoshibi::relay
