// Prepared statements of one connection, made on first use. Belongs to the connection's thread; dies before it.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

#include <unordered_map>

namespace tomoshibi::relay {

// A statement on loan: reset when it goes out of scope, also on an early return. A statement left in a row would hold its
// snapshot of the file, and the connection's next write would fail as busy once another connection had committed.
class statement_lease {
public:
  explicit statement_lease(statement& s) : s_(&s) {}
  statement_lease(statement_lease&& other) noexcept : s_(std::exchange(other.s_, nullptr)) {}
  statement_lease& operator=(statement_lease&&) = delete;
  ~statement_lease() {
    if (s_ != nullptr) s_->reset();
  }
  statement& operator*() const { return *s_; }
  statement* operator->() const { return s_; }

private:
  statement* s_;
};

class statement_cache {
public:
  explicit statement_cache(sqlite_db& db) : db_(&db) {}

  // `sql` is a literal: its address is the key. The statement is without bindings.
  result<statement_lease> get(const char* sql) {
    auto found = made_.find(sql);
    if (found == made_.end()) {
      auto fresh = db_->prepare(sql);
      if (!fresh) return std::unexpected(fresh.error());
      found = made_.emplace(sql, std::move(*fresh)).first;
    }
    return statement_lease{found->second};
  }

  // Runs a statement without rows.
  template <class... T>
  status run(const char* sql, const T&... values) {
    auto s = get(sql);
    if (!s) return std::unexpected(s.error());
    return (*s)->bind_all(values...).run();
  }

private:
  sqlite_db* db_;
  std::unordered_map<const void*, statement> made_;
};

}  // namespace tomoshibi::relay
