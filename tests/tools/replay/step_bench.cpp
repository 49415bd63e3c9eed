// How long one step of the conductor takes with participants in processes of their own that do nothing.
//   replay_step_bench [participants] [steps]
#include "tools/replay/conductor_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

using namespace tomoshibi;
using namespace tomoshibi::replay;

constexpr std::int64_t period_ms = 1000;

void participate(const std::string& path, int index) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::_Exit(1);
  std::array<char, 128> line{};
  int size = std::snprintf(line.data(), line.size(), "join p%d\n", index);
  while (::send(fd, line.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size) {
    const ssize_t got = ::recv(fd, line.data(), line.size() - 1, 0);
    if (got <= 0) break;
    line[static_cast<std::size_t>(got)] = '\0';
    const long long now = std::strtoll(line.data() + 4, nullptr, 10);
    size = std::snprintf(line.data(), line.size(), "ran 0 %lld\n", now - now % period_ms + period_ms);
  }
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 3;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20'000;
  const std::string path = "/tmp/replay-step-bench-" + std::to_string(::getpid());
  const wall_at start{};
  conductor_server server({.socket_path = path,
                           .conductor = {.start = start, .end = start + millis{period_ms} * steps,
                                         .expect = static_cast<std::size_t>(count)},
                           .progress = {.enabled = false},
                           .orders = false});
  if (const auto opened = server.open(); !opened) {
    std::fprintf(stderr, "%s\n", opened.error().detail.c_str());
    return 1;
  }
  for (int i = 0; i < count; ++i) {
    if (::fork() == 0) participate(path, i);
  }
  const mono_time began = real_now();
  if (!server.run(nullptr)) return 1;
  const double real_us = static_cast<double>((real_now() - began).count()) * 1000.0;
  const conductor& c = server.core();
  std::printf("replay_step_bench participants=%d steps=%llu us_per_step=%.1f us_per_run=%.1f\n", count,
              static_cast<unsigned long long>(c.steps()), real_us / static_cast<double>(c.steps()),
              real_us / static_cast<double>(c.runs()));
  std::fflush(stdout);
  // The destructor closes the socket; the participants end by themselves.
  return c.steps() >= static_cast<std::uint64_t>(steps) ? 0 : 1;
}
