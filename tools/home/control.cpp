#include "tools/home/control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tomoshibi::home {
namespace {

using drivers::echonet::eoj;
using drivers::echonet::twin::notice;

constexpr int answer_wait_ms = 5'000;
constexpr std::size_t commands_a_turn_max = 16;

status wrong(std::string_view what) { return fail(errc::config_invalid, std::string{what}); }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <class Number>
bool take_number(std::string_view text, Number& out, int base) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return ec == std::errc{} && end == text.data() + text.size();
}

status take_option(std::string_view word, hand_on_button& into) {
  if (word == "notice=inf") into.tell = notice::inf;
  else if (word == "notice=infc") into.tell = notice::infc;
  else if (word == "notice=silent") into.tell = notice::none;
  else if (word.starts_with("hold=")) {
    std::uint32_t seconds = 0;
    if (!into.pressed || !take_number(word.substr(5), seconds, 10) || seconds == 0 || seconds > command_hold_s_max)
      return wrong("hold: 1 to 86400 seconds, with press only");
    into.hold = std::chrono::seconds{seconds};
  } else {
    return wrong("not known: " + std::string{word} + "; allowed are hold=SECONDS and notice=inf, infc or silent");
  }
  return {};
}

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) return std::nullopt;
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

const sockaddr* as_sockaddr(const sockaddr_un& a) { return static_cast<const sockaddr*>(static_cast<const void*>(&a)); }

// A descriptor bound to `path`, which belongs to nobody who lives.
result<int> bound_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return fail(errc::config_invalid, path + ": a path of 1 to 107 bytes");
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errc::net_unreachable, std::strerror(errno));
  if (::connect(fd, as_sockaddr(*address), sizeof *address) != 0) ::unlink(path.c_str());
  else {
    ::close(fd);
    return fail(errc::net_unreachable, path + ": another home is told things there");
  }
  if (::bind(fd, as_sockaddr(*address), sizeof *address) == 0) return fd;
  const int why = errno;
  ::close(fd);
  return fail(errc::net_unreachable, path + ": " + std::strerror(why));
}

}  // namespace

result<hand_on_button> parse_command(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() < 3 || (words[0] != "press" && words[0] != "release"))
    return fail(errc::config_invalid, "press NODE EOJ [hold=SECONDS] [notice=inf|infc|silent], or release NODE EOJ [notice=...]");
  hand_on_button out;
  out.pressed = words[0] == "press";
  out.node = words[1];
  if (words[2].size() != 6 || !take_number(words[2], out.object.value, 16))
    return fail(errc::config_invalid, "EOJ: 6 hexadecimal digits, like 000301");
  for (std::size_t i = 3; i < words.size(); ++i)
    if (auto good = take_option(words[i], out); !good) return std::unexpected(good.error());
  return out;
}

control_socket::~control_socket() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

status control_socket::open(const std::string& path) {
  if (path.empty()) return {};
  auto fd = bound_to(path);
  if (!fd) return std::unexpected(fd.error());
  fd_ = *fd;
  path_ = path;
  return {};
}

std::size_t control_socket::drain(mono_time now, household& home, std::vector<outgoing>& out) {
  std::size_t done = 0;
  for (; fd_ >= 0 && done < commands_a_turn_max; ++done) {
    std::array<char, command_bytes_max> text{};
    sockaddr_un from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(fd_, text.data(), text.size(), MSG_DONTWAIT, static_cast<sockaddr*>(static_cast<void*>(&from)), &size);
    if (got < 0) break;
    std::string answer = "ok";
    const auto command = parse_command({text.data(), static_cast<std::size_t>(got)});
    if (!command) answer = command.error().detail;
    else if (!home.touch(now, *command, out)) answer = "no such device: " + command->node;
    (void)::sendto(fd_, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL, as_sockaddr(from), size);
  }
  return done;
}

status tell_home(const std::string& path, std::string_view command) {
  const auto address = address_of(path);
  if (!address) return fail(errc::config_invalid, path + ": a path of 1 to 107 bytes");
  control_socket own;
  if (auto opened = own.open(path + "." + std::to_string(::getpid())); !opened) return opened;
  if (::sendto(own.descriptor(), command.data(), command.size(), MSG_NOSIGNAL, as_sockaddr(*address), sizeof *address) < 0)
    return fail(errc::net_unreachable, path + ": " + std::strerror(errno) + " (is a home running with --control?)");
  pollfd readable{.fd = own.descriptor(), .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, answer_wait_ms) <= 0) return fail(errc::net_timeout, path + ": no answer within 5 s");
  std::array<char, command_bytes_max> text{};
  const ssize_t got = ::recv(own.descriptor(), text.data(), text.size(), 0);
  const std::string_view answer{text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, got))};
  if (answer != "ok") return fail(errc::refused, std::string{answer});
  return {};
}

}  // namespace tomoshibi::home
