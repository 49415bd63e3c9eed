#include "tools/bench.d/load/mad.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace tomoshibi::load {
namespace {

constexpr std::size_t burst_bytes = 16 * 1024;
constexpr std::chrono::milliseconds pause_after_end{20};
constexpr std::chrono::seconds half_frame_held{2};

class mad_connection {
public:
  mad_connection(std::unique_ptr<client_tls> tls, int fd) : tls_(std::move(tls)), fd_(fd) {}
  ~mad_connection() { ::close(fd_); }
  mad_connection(const mad_connection&) = delete;
  mad_connection& operator=(const mad_connection&) = delete;

  bool flush() {
    const bytes out = tls_->take_output();
    for (std::size_t sent = 0; sent < out.size();) {
      const ssize_t n = ::send(fd_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }
  bool say(byte_view plain) { return tls_->write(plain).has_value() && flush(); }
  bool read(speaker& says, int flags) {
    std::array<std::uint8_t, burst_bytes> buffer;
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), flags);
    if (n < 0) return (flags & MSG_DONTWAIT) != 0 && errno == EAGAIN;
    if (n == 0 || !tls_->feed({buffer.data(), static_cast<std::size_t>(n)})) return false;
    const auto answer = says.take(tls_->take_plain());
    return answer.has_value() && (answer->empty() || tls_->write(*answer).has_value()) && flush();
  }
  // Handshake and greeting, in order.
  bool begin(speaker& says) {
    if (!flush()) return false;
    bool greeted = false;
    while (!says.ready() || !greeted) {
      if (tls_->open() && !greeted) {
        greeted = true;
        if (!say(says.greeting())) return false;
      }
      if (!read(says, 0)) return false;
    }
    return true;
  }

private:
  std::unique_ptr<client_tls> tls_;
  int fd_;
};

void flood(mad_connection& c, speaker& says) {
  for (std::uint64_t number = says.acknowledged() + 1;;) {
    bytes burst;
    while (burst.size() < burst_bytes) put_bytes(burst, says.message(number++));
    if (!c.say(burst) || !c.read(says, MSG_DONTWAIT)) return;
  }
}

void read_nothing(mad_connection& c, speaker& says) {
  bytes burst;
  while (burst.size() < burst_bytes) put_bytes(burst, says.sign_of_life());
  while (c.say(burst)) {}
}

void half_frames(mad_connection& c, speaker& says) {
  bytes frame = says.message(1);
  frame.resize(frame.size() / 2);
  c.say(frame);
  std::this_thread::sleep_for(half_frame_held);
}

}  // namespace

int misbehave(const std::string& how, client_tls_maker& tls, speaker& says, const endpoint& server) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server.port);
  ::inet_pton(AF_INET, server.address.c_str(), &to.sin_addr);
  for (;;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(fd);
    } else if (auto started = tls.start(0)) {
      mad_connection c{std::move(*started), fd};
      if (c.begin(says)) {
        if (how == "flood") flood(c, says);
        else if (how == "slow") read_nothing(c, says);
        else half_frames(c, says);
      }
      std::fprintf(stderr, "tomoshibi-load: %s: thrown out\n", how.c_str());
    }
    std::this_thread::sleep_for(pause_after_end);
  }
}

}  // namespace tomoshibi::load
