// The floor of a press: what the same hops cost when nothing else is done. Three threads in place of box, relay and guard centre, our
// TLS between them on loopback, lines open, sockets that wait; each writes 4 KiB in place and syncs them, once. No parsing, no
// judgement, no database: a throw-away to measure against.
//
//   bench-press-floor FOLDER SERVER_CERTIFICATE SERVER_KEY CLIENT_CERTIFICATE CLIENT_KEY CA
//
// For each line of standard input one pass and one line of JSON, microseconds since its begin by one monotonic clock:
//   durable_us   box: on disk
//   received_us  relay: on disk, its answer at the box          relay_us: of it, between receipt and answer at the relay
//   accepted_us  centre: on disk, its answer at the box by way of the relay
#include "protocol/adapters/clock_source.hpp"
#include "protocol/adapters/tls_engine.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tomoshibi;
using stopwatch = std::chrono::steady_clock;

constexpr std::size_t message_bytes = 100;   // about what Press and a frame of DC-09 have
constexpr std::size_t write_bytes = 4096;
constexpr std::size_t writes_in_file = 256;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench-press-floor: %s: %s\n", why.c_str(), std::strerror(errno));
  std::_Exit(1);
}
template <class T>
T must(result<T> r) {
  if (!r) die(r.error().detail);
  return std::move(*r);
}
void must(const status& s) {
  if (!s) die(s.error().detail);
}
long long us(stopwatch::duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); }

// Room that is there already, written in place: nothing of the file system's own has to follow.
class disk {
public:
  explicit disk(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0) die(path);
    for (std::size_t i = 0; i < writes_in_file; ++i) put(i);
    if (::fsync(fd_) != 0) die("fsync");
  }
  void sync_one() {
    page_[0] = ++written_ & 0xff;
    put(written_ % writes_in_file);
    if (::fdatasync(fd_) != 0) die("fdatasync");
  }

private:
  void put(std::size_t at) const {
    if (::pwrite(fd_, page_.data(), page_.size(), static_cast<off_t>(at * write_bytes)) != static_cast<ssize_t>(write_bytes)) die("pwrite");
  }
  int fd_;
  std::size_t written_ = 0;
  std::array<unsigned char, write_bytes> page_{};
};

class tls_line {
public:
  tls_line(int fd, tls_engine engine) : fd_(fd), engine_(std::move(engine)) {
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    flush();
    while (!engine_.open()) hear();
  }
  void say() {
    static constexpr std::array<std::uint8_t, message_bytes> message{};
    must(engine_.write(message));
    flush();
  }
  void take() {
    while (heard_ < message_bytes) {
      hear();
      heard_ += engine_.take_plain().size();
    }
    heard_ -= message_bytes;
  }

private:
  void hear() {
    std::array<std::uint8_t, 16 * 1024> buffer;
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n == 0) std::_Exit(0);  // the other threads end with the process
    if (n < 0) die("recv");
    must(engine_.feed({buffer.data(), static_cast<std::size_t>(n)}));
    flush();
  }
  void flush() {
    const bytes out = engine_.take_output();
    for (std::size_t sent = 0; sent < out.size();) {
      const ssize_t n = ::send(fd_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) die("send");
      sent += static_cast<std::size_t>(n);
    }
  }
  int fd_;
  tls_engine engine_;
  std::size_t heard_ = 0;
};

struct identities {
  tls_identity server;
  tls_identity client;
};
std::optional<wall_at> today() { return system_clock_source{}.wall().at; }

struct listener {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  listener() {
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* plain = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd, plain, sizeof at) != 0 || ::listen(fd, 1) != 0 || ::getsockname(fd, plain, &size) != 0) die("listen");
  }
};

tls_line accepted(const listener& on, const identities& who) {
  auto context = must(make_tls_server(who.server, today));
  const int fd = ::accept(on.fd, nullptr, nullptr);
  if (fd < 0) die("accept");
  return {fd, must(tls_engine::start(std::move(context)))};
}
tls_line dialled(const listener& to, const identities& who) {
  auto context = must(make_tls_client(who.client, today));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.at), sizeof to.at) != 0) die("connect");
  return {fd, must(tls_engine::start(std::move(context), "127.0.0.1"))};
}

[[noreturn]] void be_centre(const listener& on, const identities& who, const std::string& folder) {
  disk file{folder + "/floor-centre"};
  tls_line relay = accepted(on, who);
  for (;;) {
    relay.take();
    file.sync_one();
    relay.say();
  }
}

std::atomic<long long> relay_us = 0;  // of the pass that runs; read after its second answer

[[noreturn]] void be_relay(const listener& on, const listener& centre_at, const identities& who, const std::string& folder) {
  disk file{folder + "/floor-relay"};
  tls_line centre = dialled(centre_at, who);
  tls_line box = accepted(on, who);
  for (;;) {
    box.take();
    const auto came = stopwatch::now();
    file.sync_one();
    box.say();
    relay_us = us(stopwatch::now() - came);
    centre.say();
    centre.take();
    box.say();
  }
}

void be_box(const listener& relay_at, const identities& who, const std::string& folder) {
  disk file{folder + "/floor-box"};
  tls_line relay = dialled(relay_at, who);
  std::puts("{\"ready\": true}");
  std::fflush(stdout);
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c != '\n') continue;
    const auto began = stopwatch::now();
    file.sync_one();
    const auto durable = stopwatch::now();
    relay.say();
    relay.take();
    const auto received = stopwatch::now();
    relay.take();
    const auto accepted = stopwatch::now();
    std::printf("{\"durable_us\": %lld, \"received_us\": %lld, \"accepted_us\": %lld, \"relay_us\": %lld}\n", us(durable - began),
                us(received - began), us(accepted - began), relay_us.load());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: bench-press-floor FOLDER SERVER_CERTIFICATE SERVER_KEY CLIENT_CERTIFICATE CLIENT_KEY CA\n");
    return 2;
  }
  const identities who{.server = must(load_tls_identity({argv[2], argv[3], argv[6]})),
                       .client = must(load_tls_identity({argv[4], argv[5], argv[6]}))};
  const std::string folder = argv[1];
  const listener relay_at;
  const listener centre_at;
  std::thread{[&] { be_centre(centre_at, who, folder); }}.detach();
  std::thread{[&] { be_relay(relay_at, centre_at, who, folder); }}.detach();
  be_box(relay_at, who, folder);
  std::fflush(stdout);
  std::_Exit(0);  // the other two wait for what does not come
}
