#include "relay/ctl/relay_link.hpp"

#include "relay/shell/data_folder.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tomoshibi::ctl {
namespace {

constexpr timeval patience{10, 0};  // a reload reads the directory: well under a second

class socket_handle {
public:
  explicit socket_handle(int fd) : fd_(fd) {}
  ~socket_handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  socket_handle(const socket_handle&) = delete;
  socket_handle& operator=(const socket_handle&) = delete;
  int fd() const { return fd_; }

private:
  int fd_;
};

std::unexpected<error> failed(const char* doing) {
  const int e = errno;
  const std::string detail = std::string("relay's control socket: ") + doing + ": " + std::strerror(e);
  if (e == ENOENT || e == ECONNREFUSED) return fail(errc::net_unreachable, detail);
  if (e == EACCES || e == EPERM) return fail(errc::refused, detail);
  if (e == EAGAIN) return fail(errc::net_timeout, "relay's control socket: no answer in time");
  return fail(errc::net_closed, detail);
}

result<std::string> read_line(int fd) {
  std::string answer;
  char buffer[4096];
  while (answer.find('\n') == std::string::npos) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0) return failed("read");
    if (n == 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
    if (answer.size() > relay::control_answer_max) return fail(errc::too_long, "relay's control socket: answer too long");
  }
  return answer.substr(0, answer.find('\n'));
}

}  // namespace

result<std::string> ask_relay(const std::string& socket_path, std::string_view line) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path)
    return fail(errc::config_invalid, "--dir: too long a path for a Unix socket (at most 97 bytes)");
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size());
  const socket_handle s(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (s.fd() < 0) return failed("socket");
  ::setsockopt(s.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(s.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(s.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return failed("connect");
  const std::string text = std::string(line) + "\n";
  if (::send(s.fd(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return failed("write");
  return read_line(s.fd());
}

}  // namespace tomoshibi::ctl
