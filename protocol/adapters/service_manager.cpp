#include "protocol/adapters/service_manager.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

constexpr timeval patience{.tv_sec = 1, .tv_usec = 0};  // a manager that hangs must not hang us
constexpr std::size_t status_bytes_max = 200;

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value != nullptr ? value : "";
  ::unsetenv(name);
  return out;
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

std::string status_line(std::string_view status) {
  std::string text{status.substr(0, status_bytes_max)};
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return "STATUS=" + text;
}

}  // namespace

service_manager_settings service_manager_from_environment() {
  service_manager_settings out;
  out.socket = take("NOTIFY_SOCKET");
  const auto every_us = number(take("WATCHDOG_USEC"));
  const std::string pid = take("WATCHDOG_PID");
  const bool ours = pid.empty() || number(pid) == static_cast<std::int64_t>(::getpid());
  if (every_us && ours) out.watchdog = std::chrono::floor<millis>(std::chrono::microseconds{*every_us});
  return out;
}

service_manager::service_manager(const service_manager_settings& settings)
    : address_(settings.socket), watchdog_(settings.watchdog) {
  const bool absolute = address_.starts_with('/');
  const bool usable = (absolute || address_.starts_with('@')) && address_.size() > 1 && address_.size() < sizeof(sockaddr_un::sun_path);
  if (!usable) {
    watchdog_ = millis{0};
    return;
  }
  if (!absolute) address_.front() = '\0';
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

service_manager::~service_manager() {
  if (fd_ >= 0) ::close(fd_);
}

void service_manager::tell(const std::string& lines) {
  if (fd_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Nothing can be done about a manager that is not there; what it misses it acts on by itself.
  (void)!::sendto(fd_, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
}

void service_manager::ready(std::string_view status) { tell("READY=1\n" + status_line(status)); }

void service_manager::reloading(mono_time now) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us));
}

void service_manager::stopping() { tell("STOPPING=1"); }

void service_manager::alive(std::string_view status) { tell("WATCHDOG=1\n" + status_line(status)); }

}  // namespace tomoshibi
