// One relay for each database: a lock that the daemon holds while it runs, and tomoshibi-ctl while it puts another file in the
// database's place. SQLite's own locks do not say that: two relays would take turns, each unaware of what the other told.
//
// The lock is flock(2) on <database>.lock: it goes with its process, however that ends. The file stays; removing it would
// let a third process lock a new one.
#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <utility>

namespace tomoshibi::relay {

class database_lock {
public:
  // Errors: already_exists (somebody holds it; the detail names the path), storage_io.
  static result<database_lock> take(const std::string& database);
  database_lock(database_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  database_lock& operator=(database_lock&&) = delete;
  ~database_lock();
  const std::string& path() const { return path_; }  // of the lock's own file

private:
  database_lock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

}  // namespace tomoshibi::relay
