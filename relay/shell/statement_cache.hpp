// Prepared statements of one connection, made on first use. Belongs to the connection's thread; dies before it.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

#include <unordered_map>

namespace tomoshibi::relay {

class statement_cache {
public:
  explicit statement_cache(sqlite_db& db) : db_(&db) {}

  // `sql` is a literal: its address is the key. The statement is reset and without bindings.
  result<statement*> get(const char* sql) {
    auto found = made_.find(sql);
    if (found == made_.end()) {
      auto fresh = db_->prepare(sql);
      if (!fresh) return std::unexpected(fresh.error());
      found = made_.emplace(sql, std::move(*fresh)).first;
    }
    found->second.reset();
    return &found->second;
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
