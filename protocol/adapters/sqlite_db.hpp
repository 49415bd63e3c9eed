// SQLite with owners and results: the only file that includes sqlite3.h is sqlite_db.cpp.
//
// A database and what is made from it belong to one thread at a time. Statements, transactions and backups must not
// outlive their database. Every failure is one of errc::storage_io, storage_full (disk or page limit), storage_corrupt
// (damaged, not a database, or without the tables that a statement names), storage_busy (another connection holds the
// lock longer than busy_timeout), storage_version; the detail is SQLite's text, never a bound value.
#pragma once

#include "protocol/adapters/database_files.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace tomoshibi {

struct sqlite_options {
  bool create = true;              // make the file when it is missing (mode 0600)
  bool read_only = false;
  bool exclusive = false;          // nobody else opens the file while we have it (storage_busy for the second)
  millis busy_timeout{5'000};
  std::uint32_t pages_max = 0;     // bound of the file in pages of 4 KiB, 0 = SQLite's own; passing it is storage_full
  std::uint32_t log_pages = 256;   // the write-ahead log is moved into the file from so many pages on (about 1 MiB), in the commit
                                   // that makes them so many; 0: only by move_log(), when its owner has time
  bool keep_log = false;           // the log keeps the room it once took, also when the file is closed: it is reused
  database_files* files = nullptr; // where the file lies; nullptr: machine_files(). Outlives the database
};

class statement;

class sqlite_db {
public:
  // WAL, synchronous FULL (a committed transaction survives a power cut), foreign keys on. ":memory:" works too.
  static result<sqlite_db> open(const std::string& path, const sqlite_options& options = {});

  status exec(std::string_view sql);  // one or more statements; rows are thrown away
  result<statement> prepare(std::string_view sql);  // exactly one statement
  result<std::int64_t> query_int(std::string_view sql);  // first column of the first row; not_found without a row

  std::int64_t last_insert_rowid() const;
  std::int64_t changes() const;          // rows of the last insert, update or delete
  // A number that changes when another connection has committed (PRAGMA data_version).
  result<std::int64_t> data_version();

  status still_there();                  // storage_corrupt when the file is no longer at its path, or empty
  status quick_check();                  // pages and records; storage_corrupt with the first finding
  status integrity_check();              // also indexes and foreign keys; slow
  status checkpoint();                   // moves the WAL into the file and truncates it
  status move_log();                     // moves it as far as it goes; the log keeps its room
  std::uint32_t log_waiting() const { return *log_waiting_; }  // with log_pages 0: pages in it that were not moved
  result<std::int64_t> log_size();       // bytes that the WAL takes on the disk; 0 before the first write
  // An online copy: other connections may write meanwhile. The target is made anew; it is whole or the call fails.
  status backup_to(const std::string& target_path);

private:
  friend class statement;
  struct closer { void operator()(sqlite3* db) const; };
  std::unique_ptr<std::uint32_t> log_waiting_ = std::make_unique<std::uint32_t>(0);  // SQLite knows where it is
  std::unique_ptr<sqlite3, closer> db_;
  database_files* files_ = nullptr;
};

// A prepared statement. Bind (1, 2, 3 ...), step until false, read columns (0, 1, 2 ...). A bind that fails is reported by
// the next step. Blobs and texts are copied.
class statement {
public:
  statement& bind(int index, std::int64_t value);
  statement& bind(int index, std::string_view value);
  statement& bind(int index, const char* value) { return bind(index, std::string_view{value}); }
  statement& bind(int index, byte_view value);
  statement& bind(int index, const bytes& value) { return bind(index, byte_view{value}); }
  statement& bind_null(int index);
  template <std::integral T>
  statement& bind(int index, T value) { return bind(index, static_cast<std::int64_t>(value)); }
  template <class T>
  statement& bind(int index, const std::optional<T>& value) { return value ? bind(index, *value) : bind_null(index); }
  template <class... T>
  statement& bind_all(const T&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }

  result<bool> step();   // true: a row is there
  status run();          // steps to the end and resets: for statements without rows
  void reset();          // and clears the bindings: ready for the next use

  bool is_null(int column) const;
  std::int64_t int64(int column) const;
  std::string text(int column) const;
  bytes blob(int column) const;
  std::optional<std::int64_t> maybe_int64(int column) const;
  std::optional<std::string> maybe_text(int column) const;
  std::optional<bytes> maybe_blob(int column) const;

private:
  friend class sqlite_db;
  struct finalizer { void operator()(sqlite3_stmt* s) const; };
  std::unique_ptr<sqlite3_stmt, finalizer> s_;
  int bind_error_ = 0;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back unless committed. Refused when the file is no longer at its path, or empty.
class transaction {
public:
  static result<transaction> begin(sqlite_db& db);
  transaction(transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  transaction& operator=(transaction&&) = delete;
  ~transaction();
  status commit();

private:
  explicit transaction(sqlite_db& db) : db_(&db) {}
  sqlite_db* db_;
};

// A schema as a list of steps: step n (counted from 1) leads from user_version n - 1 to n, in one transaction. Steps are
// never changed once released, only added. `application_id` keeps one product from opening another's file (refused).
struct sqlite_schema {
  std::int32_t application_id = 0;
  std::span<const std::string_view> steps;
};
// storage_version: the file was made by a newer program. Returns the version found before.
result<std::int64_t> migrate(sqlite_db& db, const sqlite_schema& schema);

}  // namespace tomoshibi
