// What a conductor that is none says to a participant: time is set by whole lines only and never goes back; anything else
// ends the session. Judged by a plain reading of the same lines.
#include "protocol/adapters/replay_clock.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdio>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace tomoshibi;

namespace {

class listener {
public:
  listener() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path().data(), path().size());
    TOMO_REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(fd_, 4) == 0);
  }
  ~listener() { ::close(fd_); }
  std::string path() const { return folder_.file("c"); }
  int take() const { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }

private:
  testing::temporary_folder folder_;
  int fd_;
};

// "run 12 34" and nothing else; -1: not that.
std::optional<std::pair<std::int64_t, std::int64_t>> plain_line(const std::string& line) {
  long long mono = 0;
  long long wall = 0;
  if (line.find('\0') != std::string::npos || line.find_first_not_of("run -0123456789") != std::string::npos) return {};
  if (std::sscanf(line.c_str(), "run %18lld %18lld", &mono, &wall) != 2) return {};
  char text[64];
  std::snprintf(text, sizeof text, "run %lld %lld", mono, wall);
  if (line != text) return {};
  return std::pair<std::int64_t, std::int64_t>{mono, wall};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const listener where;
  std::string_view text = as_text({data, std::min<std::size_t>(size, 2'000)});
  auto clock = replay_clock::join(where.path(), "gateway").value();
  const int fd = where.take();
  TOMO_REQUIRE(fd >= 0);
  TOMO_REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  ::shutdown(fd, SHUT_WR);
  for (;;) {
    const auto before = clock.now();
    const auto turn = clock.wait(-1);
    if (!turn) break;
    const auto end = text.find('\n');
    TOMO_REQUIRE(end != std::string_view::npos);
    const auto said = plain_line(std::string(text.substr(0, end)));
    if (said) TOMO_REQUIRE(to_ms(clock.now()) == said->first && to_ms(clock.wall().at) == said->second);
    TOMO_REQUIRE(clock.now() >= before);
    TOMO_REQUIRE(clock.answer(1, never).has_value());
    text.remove_prefix(end + 1);
  }
  // It ended: at the first line that is no order, or with the line itself.
  const auto end = text.find('\n');
  if (end != std::string_view::npos && end < 100) {
    const auto said = plain_line(std::string(text.substr(0, end)));
    TOMO_REQUIRE(!said || mono_from_ms(said->first) < clock.now());
  }
  ::close(fd);
  return 0;
}
