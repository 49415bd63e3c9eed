// A client's blocking-free socket for tests: connects to loopback or a Unix path, writes, collects what comes.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace tomoshibi::testing {

class plain_socket {
public:
  static plain_socket tcp(std::uint16_t port, const char* from = nullptr) {  // from: another loopback address
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return plain_socket(AF_INET, reinterpret_cast<const sockaddr*>(&at), sizeof at, from);
  }
  static plain_socket local(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), path.size());
    return plain_socket(AF_UNIX, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  plain_socket(plain_socket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), received_(std::move(other.received_)) {}
  plain_socket& operator=(plain_socket&&) = delete;
  ~plain_socket() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  void write(std::string_view text) { (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }
  void end() { ::shutdown(fd_, SHUT_WR); }
  // Takes what is there; true once the other side has ended or reset the connection.
  bool ended() {
    char buffer[4096];
    for (;;) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return true;
      if (n < 0) return false;
      received_.append(buffer, static_cast<std::size_t>(n));
    }
  }
  const std::string& received() const { return received_; }

private:
  plain_socket(int family, const sockaddr* at, socklen_t size, const char* from = nullptr)
      : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (from) {
      sockaddr_in own{};
      own.sin_family = AF_INET;
      ::inet_pton(AF_INET, from, &own.sin_addr);
      if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) return;
    }
    connected_ = ::connect(fd_, at, size) == 0;
  }
  int fd_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace tomoshibi::testing
