#include "protocol/adapters/replay_clock.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace tomoshibi {
namespace {

constexpr std::size_t line_bytes_max = 128;

status send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errc::net_closed, "replay conductor: " + std::string(std::strerror(errno)));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

bool take_number(std::string_view& text, std::int64_t& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

result<replay_clock> replay_clock::join(const std::string& socket_path, std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path)
    return fail(errc::config_invalid, "replay clock: socket path must have 1 to 107 bytes");
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  replay_clock clock;
  clock.fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (clock.fd_ < 0 || ::connect(clock.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(errc::net_unreachable, "replay clock " + socket_path + ": " + std::strerror(errno));
  if (auto sent = send_all(clock.fd_, "join " + std::string(name) + "\n"); !sent) return std::unexpected(sent.error());
  return clock;
}

replay_clock::replay_clock(replay_clock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), mono_(other.mono_), wall_(other.wall_), pending_(std::move(other.pending_)) {}

replay_clock::~replay_clock() {
  if (fd_ >= 0) ::close(fd_);
}

result<replay_clock::turn> replay_clock::wait(int interrupt_fd) {
  while (true) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (auto taken = take_line(line); !taken) return std::unexpected(taken.error());
      return turn::run;
    }
    if (pending_.size() > line_bytes_max) return fail(errc::malformed, "replay conductor: line too long");
    pollfd waited[2] = {{fd_, POLLIN, 0}, {interrupt_fd, POLLIN, 0}};
    if (::poll(waited, interrupt_fd < 0 ? 1 : 2, -1) < 0) {
      if (errno == EINTR) continue;
      return fail(errc::net_closed, "replay conductor: " + std::string(std::strerror(errno)));
    }
    if (interrupt_fd >= 0 && waited[1].revents != 0) return turn::interrupted;
    char buffer[256];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errc::net_closed, "replay conductor has gone");
    pending_.append(buffer, static_cast<std::size_t>(n));
  }
}

status replay_clock::take_line(std::string_view line) {
  std::string_view rest = line;
  std::int64_t mono = 0;
  std::int64_t wall = 0;
  const bool whole = take_word(rest, "run ") && take_number(rest, mono) && take_word(rest, " ") &&
                     take_number(rest, wall) && rest.empty();
  if (!whole) return fail(errc::malformed, "replay conductor: expected 'run <mono_ms> <wall_ms>'");
  if (mono_from_ms(mono) < mono_) return fail(errc::malformed, "replay conductor: monotonic time went back");
  mono_ = mono_from_ms(mono);
  wall_ = wall_from_ms(wall);
  return {};
}

status replay_clock::answer(std::uint64_t handlers, mono_time next_wake) {
  const std::string next = next_wake == never ? "never" : std::to_string(to_ms(next_wake));
  return send_all(fd_, "ran " + std::to_string(handlers) + " " + next + "\n");
}

}  // namespace tomoshibi
