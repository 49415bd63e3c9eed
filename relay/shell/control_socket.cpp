#include "relay/shell/control_socket.hpp"

#include "relay/shell/data_folder.hpp"

#include <cerrno>
#include <cstring>
#include <list>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace tomoshibi::relay {
namespace {

constexpr int backlog = 16;
constexpr millis pause_after_failure{200};  // out of descriptors: the waiting ones stay in the backlog

class owned_fd {
public:
  explicit owned_fd(int fd) : fd_(fd) {}
  owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  owned_fd& operator=(owned_fd&&) = delete;
  ~owned_fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

std::unexpected<error> io_failed(std::string_view doing) {
  return fail(errc::storage_io, std::string{doing} + ": " + std::strerror(errno));
}

owned_fd unix_socket() { return owned_fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}; }

bool somebody_answers(const sockaddr_un& at) {
  const auto probe = unix_socket();
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

result<owned_fd> listening_at(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof at.sun_path) return fail(errc::config_invalid, "the relay's folder has too long a path for a socket");
  std::memcpy(at.sun_path, path.data(), path.size());
  if (somebody_answers(at)) return fail(errc::already_exists, "another relay runs in this folder");
  ::unlink(path.c_str());
  auto made = unix_socket();
  const auto former = ::umask(0177);
  const bool bound = made.get() >= 0 && ::bind(made.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::umask(former);
  if (!bound || ::listen(made.get(), backlog) != 0) return io_failed("control socket");
  return made;
}

}  // namespace

struct control_socket::impl {
  // One caller: its line as far as it came.
  struct caller {
    caller(owned_fd f, event_loop& loop) : fd(std::move(f)), patience(loop) {}
    owned_fd fd;
    std::string line;
    loop_timer patience;
    std::unique_ptr<fd_watch> watch;
  };

  impl(event_loop& l, std::string p, answer_handler a, millis with_caller, owned_fd fd)
      : loop(l), path(std::move(p)), answer(std::move(a)), patience(with_caller), listener(std::move(fd)), pause(l) {}
  ~impl() { ::unlink(path.c_str()); }

  void listen() {
    watch = std::make_unique<fd_watch>(loop, listener.get(), [this] { on_caller(); });
  }

  void on_caller() {
    owned_fd fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (fd.get() < 0) {
      if (errno != EMFILE && errno != ENFILE) return;
      watch.reset();  // a caller that cannot be taken would wake the loop without end
      return pause.set_after(pause_after_failure, [this] { listen(); });
    }
    if (callers.size() >= control_connections_max) return;
    callers.emplace_back(std::move(fd), loop);
    const auto it = std::prev(callers.end());
    it->patience.set_after(patience, [this, it] { callers.erase(it); });
    it->watch = std::make_unique<fd_watch>(loop, it->fd.get(), [this, it] { on_bytes(it); });
  }

  void on_bytes(std::list<caller>::iterator it) {
    char buffer[control_line_max + 1];
    const auto n = ::recv(it->fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) it->line.append(buffer, static_cast<std::size_t>(n));
    const auto end = it->line.find('\n');
    if (n > 0 && end == std::string::npos && it->line.size() <= control_line_max) return;
    if (end != std::string::npos || n > 0) {
      const bool too_long = end == std::string::npos || end > control_line_max;
      auto text = too_long ? std::string{"error unknown command"} : answer(std::string_view{it->line}.substr(0, end));
      text += '\n';
      // A Unix socket's buffer holds more than control_answer_max; a caller that left is not our concern.
      (void)::send(it->fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
    callers.erase(it);
  }

  event_loop& loop;
  std::string path;
  answer_handler answer;
  millis patience;
  owned_fd listener;
  loop_timer pause;
  std::list<caller> callers;
  std::unique_ptr<fd_watch> watch;
};

control_socket::control_socket(std::shared_ptr<impl> p) : impl_(std::move(p)) {}
control_socket::~control_socket() = default;

result<std::unique_ptr<control_socket>> control_socket::open(event_loop& loop, const std::string& path,
                                                             answer_handler answer, millis patience) {
  auto fd = listening_at(path);
  if (!fd) return std::unexpected{fd.error()};
  auto inside = std::make_shared<impl>(loop, path, std::move(answer), patience, std::move(*fd));
  inside->listen();
  return std::unique_ptr<control_socket>(new control_socket(std::move(inside)));
}

}  // namespace tomoshibi::relay
