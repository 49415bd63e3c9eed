// Goal: over its socket, the conductor conducts those who keep to the exchange and drops those who do not.
#include "tools/replay/conductor_server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

using namespace tomoshibi;
using namespace tomoshibi::replay;

namespace {

std::string fresh_path() {
  static int count = 0;
  return "/tmp/conductor-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// Blocking client; its moves are scripted, so no time is measured.
class client {
public:
  explicit client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { ::close(fd_); }
  bool connected() const { return connected_; }
  void say(const std::string& text) { (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Nothing: the conductor hung up.
  std::optional<std::string> hear() {
    std::array<char, 256> buffer{};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return {};
    return std::string(buffer.data(), static_cast<std::size_t>(got));
  }
  // Answers "nothing to do" until the conductor hangs up; how often it was run.
  int obey(const std::string& next = "never") {
    int runs = 0;
    while (hear()) {
      ++runs;
      say("ran 0 " + next + "\n");
    }
    return runs;
  }

private:
  int fd_;
  bool connected_ = false;
};

server_options options(const std::string& path, std::size_t expect) {
  return {.socket_path = path,
          .conductor = {.start = {}, .end = wall_at{} + 10s, .expect = expect},
          .progress = {.enabled = false},
          .orders = false};
}

}  // namespace

TEST_CASE("conductor server: participants that keep to the exchange are conducted to the end") {
  const std::string path = fresh_path();
  auto server = std::make_optional<conductor_server>(options(path, 2));
  REQUIRE(server->open());
  int a_runs = 0, b_runs = 0;
  std::thread a([&path, &a_runs] {
    client c(path);
    c.say("join a\n");
    a_runs = c.obey();
  });
  std::thread b([&path, &b_runs] {
    client c(path);
    c.say("jo");
    c.say("in b\n");
    b_runs = c.obey();
  });
  REQUIRE(server->run(nullptr));
  CHECK(server->core().wall() == wall_at{} + 10s);
  server.reset();  // hangs up
  a.join();
  b.join();
  CHECK(a_runs >= 4);
  CHECK(b_runs >= 4);
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("conductor server: who breaks the exchange is dropped, the others go on") {
  const std::string path = fresh_path();
  auto server = std::make_optional<conductor_server>(options(path, 1));
  REQUIRE(server->open());
  std::atomic<int> dropped = 0;
  std::thread others([&path, &dropped] {
    for (const char* text : {"hello\n", "join Not A Name\n", "join x\nran 0 never\nran 0 never\n", "join y\nrun 1 2\n",
                             "join z\nran one never\n", "join z\nran 1 soon\n", "\n"}) {
      client c(path);
      c.say(text);
      while (c.hear()) {
      }
      ++dropped;
    }
    client endless(path);
    endless.say(std::string(1000, 'j'));
    while (endless.hear()) {
    }
    ++dropped;
    client good(path);
    good.say("join good\n");
    good.obey();
  });
  REQUIRE(server->run(nullptr));
  CHECK(dropped == 8);
  server.reset();
  others.join();
}

TEST_CASE("conductor server: a socket in use is refused, a dead one is taken over") {
  const std::string path = fresh_path();
  {
    conductor_server first(options(path, 1));
    REQUIRE(first.open());
    conductor_server second(options(path, 1));
    const auto refused = second.open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::already_exists);
  }
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(dead);
  conductor_server third(options(path, 1));
  CHECK(third.open());
}
