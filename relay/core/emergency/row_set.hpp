// The rows of one kind that are not over, and which of them the book does not have yet.
#pragma once

#include "relay/ports/emergency_book.hpp"

#include <map>
#include <set>

namespace tomoshibi::relay {

template <class Key, class Row>
class row_set {
public:
  void loaded(const Key& key, Row row) { rows_.insert_or_assign(key, std::move(row)); }
  const Row* find(const Key& key) const {
    const auto at = rows_.find(key);
    return at == rows_.end() ? nullptr : &at->second;
  }
  // The row as it is to be from now on.
  void put(const Key& key, Row row) {
    rows_.insert_or_assign(key, std::move(row));
    dirty_.insert(key);
  }
  bool dirty() const { return !dirty_.empty(); }
  bool dirty(const Key& key) const { return dirty_.contains(key); }
  void collect(emergency_batch& into) const {
    for (const auto& key : dirty_) into.emplace_back(rows_.at(key));
  }
  // The book has all of it: what is over leaves. Answers copies of what it has now got.
  template <class Over>
  std::vector<Row> committed(Over over) {
    std::vector<Row> out;
    for (const auto& key : dirty_) {
      const auto at = rows_.find(key);
      out.push_back(at->second);
      if (over(at->second)) rows_.erase(at);
    }
    dirty_.clear();
    return out;
  }
  std::size_t size() const { return rows_.size(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }
  auto from(const Key& key) const { return rows_.lower_bound(key); }

private:
  std::map<Key, Row> rows_;
  std::set<Key> dirty_;
};

}  // namespace tomoshibi::relay
