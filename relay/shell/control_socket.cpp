#include "relay/shell/control_socket.hpp"

#include "relay/shell/data_folder.hpp"

#include <algorithm>
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

struct control_socket::impl : std::enable_shared_from_this<control_socket::impl> {
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
    const auto who = callers.emplace_back(std::make_shared<caller>(std::move(fd), loop)).get();
    who->patience.set_after(patience, [this, who] { forget(who); });
    who->watch = std::make_unique<fd_watch>(loop, who->fd.get(), [this, who] { on_bytes(who); });
  }

  void forget(const caller* who) {
    std::erase_if(callers, [who](const auto& c) { return c.get() == who; });
  }

  void on_bytes(caller* it) {
    char buffer[control_line_max + 1];
    const auto n = ::recv(it->fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) it->line.append(buffer, static_cast<std::size_t>(n));
    const auto end = it->line.find('\n');
    if (n > 0 && end == std::string::npos && it->line.size() <= control_line_max) return;
    if (end == std::string::npos && n <= 0) return forget(it);
    if (end == std::string::npos || end > control_line_max) return finish(it, "error unknown command");
    ask(it, end);
  }

  // From here the caller only waits: what else it writes is not read.
  void ask(caller* who, std::size_t end) {
    who->watch.reset();
    who->patience.set_after(control_answer_patience, [this, who] { finish(who, "error net_timeout no answer in time"); });
    const auto found = std::ranges::find(callers, who, [](const auto& c) { return c.get(); });
    const auto held = *found;  // it may be answered, and forgotten, before answer() returns
    answer(std::string_view{held->line}.substr(0, end),
           [inside = weak_from_this(), caller = std::weak_ptr(held)](const std::string& text) {
             const auto self = inside.lock();
             const auto waiting = caller.lock();
             if (self && waiting) self->finish(waiting.get(), text);
           });
  }

  // A Unix socket's buffer holds more than control_answer_max; a caller that left is not our concern.
  void finish(const caller* who, std::string text) {
    text += '\n';
    (void)::send(who->fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    forget(who);
  }

  event_loop& loop;
  std::string path;
  answer_handler answer;
  millis patience;
  owned_fd listener;
  loop_timer pause;
  std::list<std::shared_ptr<caller>> callers;
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
