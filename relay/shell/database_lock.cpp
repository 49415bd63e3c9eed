#include "relay/shell/database_lock.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tomoshibi::relay {

result<database_lock> database_lock::take(const std::string& database) {
  const std::string path = database + ".lock";
  database_lock made{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), path};
  if (made.fd_ < 0) return fail(errc::storage_io, path + ": cannot be made or written: " + std::strerror(errno));
  if (::flock(made.fd_, LOCK_EX | LOCK_NB) == 0) return made;
  if (errno != EWOULDBLOCK) return fail(errc::storage_io, path + ": cannot be locked: " + std::strerror(errno));
  return fail(errc::already_exists, database + ": another relay runs in this folder, or on this database");
}

database_lock::~database_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace tomoshibi::relay
