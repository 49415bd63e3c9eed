#include "tools/replay/conductor_server.hpp"

#include "tools/replay/iso_time.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace tomoshibi::replay {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

std::string system_text(std::string_view what) { return std::string(what) + ": " + std::strerror(errno); }

template <class Int>
std::optional<Int> number(std::string_view text) {
  Int value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// "ran 3 1559165709000" without the first word.
std::optional<local_participant::answer> parse_ran(std::string_view rest) {
  const auto blank = rest.find(' ');
  if (blank == std::string_view::npos) return {};
  const auto handlers = number<std::uint64_t>(rest.substr(0, blank));
  const std::string_view next = rest.substr(blank + 1);
  if (!handlers) return {};
  if (next == "never") return local_participant::answer{*handlers, never};
  const auto at = number<std::int64_t>(next);
  if (!at) return {};
  return local_participant::answer{*handlers, mono_from_ms(*at)};
}

// Standard output is for programs: each line is written at once.
void print_event(const std::string& json) {
  std::fputs((json + "\n").c_str(), stdout);
  std::fflush(stdout);
}

result<int> listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(errc::config_invalid, path + ": a socket path has 1 to 107 bytes");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(errc::net_unreachable, system_text("socket"));
  // A socket file that a killed conductor left behind refuses connections: it may go. A live one must stay.
  if (::connect(fd, generic, sizeof address) == 0) {
    ::close(fd);
    return fail(errc::already_exists, path + ": another conductor listens here");
  }
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  const mode_t old_mask = ::umask(0077);
  const bool bound = ::bind(fd, generic, sizeof address) == 0;
  ::umask(old_mask);
  if (!bound || ::listen(fd, 16) != 0) {
    const std::string text = system_text(path);
    ::close(fd);
    return fail(errc::net_unreachable, text);
  }
  return fd;
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_signal = 1; };  // without SA_RESTART: a waiting poll() returns
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return stop_signal != 0; }

mono_time real_now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return mono_from_ms(static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000);
}

conductor_server::conductor_server(server_options options)
    : options_(std::move(options)), core_(options_.conductor), progress_(options_.progress) {}

conductor_server::~conductor_server() {
  for (const peer& p : peers_) ::close(p.fd);
  if (listener_ >= 0) {
    ::close(listener_);
    ::unlink(options_.socket_path.c_str());
  }
}

status conductor_server::open() {
  auto fd = listen_on(options_.socket_path);
  if (!fd) return std::unexpected(fd.error());
  listener_ = *fd;
  orders_open_ = options_.orders;
  return {};
}

status conductor_server::run(local_participant* local) {
  if (local && !core_.on_join(participant{0}, local->name(), out_))
    return fail(errc::config_invalid, "name of the local participant");
  while (core_.state() != phase::ended) {
    const mono_time real = real_now();
    if (stop_requested()) core_.stop(out_);
    core_.turn(real, out_);
    for (const notice& n : out_.notices) tell(n);
    out_.notices.clear();
    if (const auto text = progress_.update(real, core_)) std::fputs(text->c_str(), stderr);
    const bool to_local = out_.run && out_.run->to == participant{0};
    if (out_.run) deliver(local);
    if (!to_local) wait(core_.awaited().empty() ? core_.next_real_wake() : real + answer_slow_after);
  }
  for (const notice& n : out_.notices) tell(n);
  std::fputs(progress_.finish().c_str(), stderr);
  return {};
}

void conductor_server::deliver(local_participant* local) {
  const run_order order = *out_.run;
  out_.run.reset();
  if (order.to == participant{0}) {
    const auto answer = local->run(order.mono, order.wall);
    core_.on_ran(order.to, answer.handlers, answer.next, out_);
    return;
  }
  asked_at_ = real_now();
  slow_told_ = false;
  const auto it = std::ranges::find(peers_, order.to, &peer::who);
  std::array<char, 64> line{};
  const int size = std::snprintf(line.data(), line.size(), "run %lld %lld\n", static_cast<long long>(to_ms(order.mono)),
                                 static_cast<long long>(to_ms(order.wall)));
  // One line fits any socket buffer of a peer that has answered the one before: a short write means that it is gone.
  if (::send(it->fd, line.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size)
    close_peer(static_cast<std::size_t>(it - peers_.begin()));
}

void conductor_server::wait(mono_time until) {
  std::array<pollfd, participants_max + 8> fds{};
  std::size_t count = 0;
  const auto add = [&fds, &count](int fd) { fds[count++] = {.fd = fd, .events = POLLIN, .revents = 0}; };
  const std::size_t peer_count = std::min(peers_.size(), participants_max + 6);
  for (std::size_t i = 0; i < peer_count; ++i) add(peers_[i].fd);
  add(listener_);
  if (orders_open_) add(STDIN_FILENO);
  const mono_time real = real_now();
  const auto limit = options_.progress.enabled ? 200ms : 1000ms;
  const auto timeout = until <= real ? 0ms : std::min<millis>(until - real, limit);
  if (::poll(fds.data(), count, static_cast<int>(timeout.count())) <= 0) {
    if (!core_.awaited().empty() && !slow_told_ && real_now() - asked_at_ > answer_slow_after) {
      slow_told_ = true;
      warn(core_.awaited(), "has not answered for 30 s");
    }
    return;
  }
  if (orders_open_ && fds[peer_count + 1].revents != 0) read_orders();
  for (std::size_t i = peer_count; i-- > 0;) {
    if (fds[i].revents != 0 && !read_peer(peers_[i])) close_peer(i);
  }
  if (fds[peer_count].revents != 0) accept_all();
}

void conductor_server::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (peers_.size() >= participants_max) {
      ::close(fd);
      continue;
    }
    peers_.push_back({.fd = fd, .who = participant{next_id_++}, .joined = false, .name = {}, .pending = {}});
  }
}

bool conductor_server::read_peer(peer& p) {
  std::array<char, 512> buffer{};
  const ssize_t got = ::recv(p.fd, buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  p.pending.append(buffer.data(), static_cast<std::size_t>(got));
  std::size_t begin = 0;
  for (std::size_t end; (end = p.pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (!on_line(p, std::string_view(p.pending).substr(begin, end - begin))) return false;
  }
  p.pending.erase(0, begin);
  return p.pending.size() <= line_bytes_max;
}

bool conductor_server::on_line(peer& p, std::string_view line) {
  if (!p.joined) {
    p.joined = line.starts_with("join ") && core_.on_join(p.who, line.substr(5), out_);
    if (!p.joined) warn("participant", "refused: its first line has to be 'join NAME' with a name of [a-z0-9-]");
    else p.name = line.substr(5);
    return p.joined;
  }
  const auto answer = line.starts_with("ran ") ? parse_ran(line.substr(4)) : std::nullopt;
  if (answer && core_.on_ran(p.who, answer->handlers, answer->next, out_)) return true;
  warn(p.name, "disconnected: it sent a line that was not asked for or not understood");
  return false;
}

void conductor_server::close_peer(std::size_t index) {
  core_.on_leave(peers_[index].who, out_);
  ::close(peers_[index].fd);
  peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(index));
}

void conductor_server::read_orders() {
  std::array<char, 512> buffer{};
  const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (got <= 0) {
    orders_open_ = got < 0 && errno == EINTR;
    return;
  }
  orders_.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end; (end = orders_.find('\n')) != std::string::npos; orders_.erase(0, end + 1))
    on_order(std::string_view(orders_).substr(0, end));
  if (orders_.size() > line_bytes_max) orders_.clear();
}

void conductor_server::on_order(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return;
  if (line == "stop") return core_.stop(out_);
  if (line == "go") return core_.go({});
  if (line == "where") return print_event(timed_event("where", core_.wall()));
  if (line.starts_with("go ")) {
    const auto expect = number<std::size_t>(line.substr(3));
    if (expect && *expect >= 1 && *expect <= participants_max) return core_.go(*expect);
  }
  if (line.starts_with("pause ")) {
    const auto at = parse_iso_time(line.substr(6));
    if (at && core_.add_pause(*at)) return;
  }
  warn("order", "not understood; known are: go [1..16], pause YYYY-MM-DDTHH:MM:SS in the future (UTC), where, stop");
}

std::string conductor_server::timed_event(std::string_view event, wall_at at) const {
  std::string members;
  for (const std::string& name : core_.names()) members += (members.empty() ? "\"" : ",\"") + name + "\"";
  return "{\"event\":\"" + std::string(event) + "\",\"at\":\"" + format_iso_time(at) + "\",\"participants\":[" +
         members + "],\"steps\":" + std::to_string(core_.steps()) + ",\"runs\":" + std::to_string(core_.runs()) + "}";
}

void conductor_server::tell(const notice& n) {
  const auto named = [](std::string_view event, const std::string& name) {
    return "{\"event\":\"" + std::string(event) + "\",\"name\":\"" + name + "\"}";
  };
  if (const auto* j = std::get_if<joined_notice>(&n)) print_event(named("joined", j->name));
  if (const auto* l = std::get_if<left_notice>(&n)) print_event(named("left", l->name));
  if (const auto* p = std::get_if<paused_notice>(&n)) print_event(timed_event("paused", p->at));
  if (const auto* e = std::get_if<end_notice>(&n)) print_event(timed_event("ended", e->at));
  if (const auto* r = std::get_if<restless_notice>(&n)) warn(r->name, "keeps running handlers: time stands still");
}

void conductor_server::warn(std::string_view name, std::string_view text) {
  print_event("{\"event\":\"warning\",\"name\":\"" + std::string(name) + "\",\"text\":\"" + std::string(text) + "\"}");
  std::fputs((progress_.finish() + std::string(name) + ": " + std::string(text) + "\n").c_str(), stderr);
}

}  // namespace tomoshibi::replay
