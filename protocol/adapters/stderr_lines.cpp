#include "protocol/adapters/stderr_lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi {

stderr_lines::stderr_lines() : fd_(STDERR_FILENO) {
  struct stat found{};
  if (::fstat(STDERR_FILENO, &found) != 0) return;
  socket_ = S_ISSOCK(found.st_mode);
  if (!S_ISFIFO(found.st_mode) && !S_ISCHR(found.st_mode)) return;   // a file never waits for a reader
  const int again = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (again < 0) return;
  fd_ = again;
  own_ = true;
}

stderr_lines::~stderr_lines() {
  if (own_) ::close(fd_);
}

long stderr_lines::write_now(std::string_view text) const {
  if (socket_) return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!own_ && !wait_for_room(millis{0})) return -1;
  return ::write(fd_, text.data(), text.size());
}

// What is closed or failing has room: the write then fails, and does not wait.
bool stderr_lines::wait_for_room(millis patience) const {
  pollfd there{fd_, POLLOUT, 0};
  return ::poll(&there, 1, static_cast<int>(patience.count())) != 0;
}

bool stderr_lines::put(std::string_view line, millis patience) {
  const std::string text = rest_ + std::string(line);
  long written = write_now(text);
  if (written < 0 && patience > millis{0} && wait_for_room(patience)) written = write_now(text);
  if (written < 0) return false;
  const auto taken = static_cast<std::size_t>(written);
  if (taken < rest_.size()) {
    rest_.erase(0, taken);
    return false;
  }
  rest_ = text.substr(taken);
  return true;
}

}  // namespace tomoshibi
