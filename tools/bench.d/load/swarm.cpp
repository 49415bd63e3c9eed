#include "tools/bench.d/load/swarm.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tomoshibi::load {
namespace {

constexpr std::size_t clients_per_address = 100;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr int reads_per_event_max = 4;
constexpr int events_per_turn = 512;
constexpr double back_off_first_s = 1;
constexpr double back_off_max_s = 300;
constexpr double failed_dial_pause_s = 0.05;  // redial::window: the server is away for a moment

sockaddr_in to_address(const std::string& numeric, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  inet_pton(AF_INET, numeric.c_str(), &at.sin_addr);
  return at;
}

sockaddr_in source_of(std::size_t index) {
  const std::size_t block = index / clients_per_address;
  return to_address("127.1." + std::to_string(block / 250) + "." + std::to_string(block % 250 + 1), 0);
}

const sockaddr* plain(const sockaddr_in& at) { return reinterpret_cast<const sockaddr*>(&at); }

}  // namespace

swarm::swarm(const swarm_options& options, client_tls_maker& tls, std::vector<std::unique_ptr<speaker>> speakers)
    : options_(options), tls_(tls), clients_(speakers.size()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (std::size_t i = 0; i < speakers.size(); ++i) clients_[i].says = std::move(speakers[i]);
}

swarm::~swarm() {
  for (client& c : clients_) close(c);
  ::close(epoll_);
}

double swarm::now() const {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void swarm::reset_counts() {
  counts_.handshakes = counts_.resumed = counts_.drops = counts_.dial_failures = counts_.acknowledged = 0;
  failures_.clear();
}

// ---- who is wanted

void swarm::want(std::size_t count, redial how) {
  how_ = how;
  counts_.wanted = std::min(count, clients_.size());
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    client& c = clients_[i];
    c.wanted = i < counts_.wanted;
    if (!c.wanted) close(c);
    if (c.wanted && c.now == state::down) {
      c.attempts = 0;
      queue_dial(i);
    }
  }
}

void swarm::hang_up() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    client& c = clients_[i];
    if (c.now == state::down) continue;
    close(c);
    queue_dial(i);
  }
}

void swarm::ask(std::size_t index, std::uint64_t messages) {
  client& c = clients_[index];
  c.target += messages;
  counts_.unacknowledged += messages;
  if (c.now == state::ready) send_messages(index);
}

// The gateway's own back-off: full jitter below a bound that doubles.
void swarm::queue_dial(std::size_t i) {
  client& c = clients_[i];
  if (!c.wanted || c.waiting) return;
  double wait = c.attempts == 0 ? 0 : failed_dial_pause_s;
  if (how_ == redial::backoff) {
    const double bound = std::min(back_off_max_s, back_off_first_s * std::pow(2.0, std::min(c.attempts, 9u)));
    wait = bound * static_cast<double>(chance_.below(1'000'000)) * 1e-6;
  }
  ++c.attempts;
  c.waiting = true;
  dial_at_.emplace(now() + wait, i);
}

void swarm::dial_due() {
  const double at = now();
  while (!dial_at_.empty() && dial_at_.top().first <= at) {
    if (how_ == redial::window && on_the_way_ >= window()) return;
    const std::size_t i = dial_at_.top().second;
    dial_at_.pop();
    clients_[i].waiting = false;
    if (clients_[i].wanted && clients_[i].now == state::down) dial(i);
  }
}

void swarm::dial(std::size_t i) {
  client& c = clients_[i];
  c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c.fd < 0) return drop(i, std::string{"socket: "} + std::strerror(errno));
  const int yes = 1;
  ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  const sockaddr_in from = source_of(i);
  const sockaddr_in to = to_address(options_.server.address, options_.server.port);
  c.now = state::dialling;
  ++on_the_way_;
  if (::bind(c.fd, plain(from), sizeof from) != 0) return drop(i, std::string{"bind: "} + std::strerror(errno));
  if (::connect(c.fd, plain(to), sizeof to) != 0 && errno != EINPROGRESS)
    return drop(i, std::string{"connect: "} + std::strerror(errno));
  epoll_event e{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = i}};
  c.wants_write = true;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &e);
}

// ---- events

void swarm::turn(double wait_s) {
  dial_due();
  if (!dial_at_.empty() && (how_ == redial::backoff || on_the_way_ < window()))
    wait_s = std::clamp(dial_at_.top().first - now(), 0.0, wait_s);
  std::array<epoll_event, events_per_turn> events;
  const int n = ::epoll_wait(epoll_, events.data(), events_per_turn, static_cast<int>(std::ceil(wait_s * 1e3)));
  for (int k = 0; k < n; ++k) on_event(events[static_cast<std::size_t>(k)].data.u64, events[static_cast<std::size_t>(k)].events);
  signs_of_life();
}

void swarm::on_event(std::size_t i, std::uint32_t events) {
  client& c = clients_[i];
  if (c.now == state::down) return;
  if (c.now == state::dialling) {
    int failed = 0;
    socklen_t size = sizeof failed;
    ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    if (failed != 0) return drop(i, std::string{"connect: "} + std::strerror(failed));
    auto started = tls_.start(i);
    if (!started) return drop(i, started.error().detail);
    c.tls = std::move(*started);
    c.now = state::handshake;
    if (!flush(i)) return;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !read(i)) return;
  if ((events & EPOLLOUT) != 0) flush(i);
}

bool swarm::read(std::size_t i) {
  std::array<std::uint8_t, read_bytes> buffer;
  for (int k = 0; k < reads_per_event_max; ++k) {
    const ssize_t n = ::recv(clients_[i].fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      drop(i, n == 0 ? "the server ended the connection" : std::string{"receive: "} + std::strerror(errno));
      return false;
    }
    if (!on_cipher(i, {buffer.data(), static_cast<std::size_t>(n)})) return false;
    if (static_cast<std::size_t>(n) < buffer.size()) break;
  }
  return true;
}

bool swarm::on_cipher(std::size_t i, byte_view cipher) {
  client& c = clients_[i];
  const auto fed = c.tls->feed(cipher);
  if (c.now == state::handshake && c.tls->open()) {
    c.now = state::greeting;
    ++counts_.handshakes;
    if (c.tls->resumed()) ++counts_.resumed;
    if (!say(i, c.says->greeting())) return false;
  }
  const bytes heard = c.tls->take_plain();
  if (!heard.empty()) {
    auto answer = c.says->take(heard);
    count_acks(c);
    if (!answer) {
      drop(i, answer.error().detail);
      return false;
    }
    if (!answer->empty() && !say(i, *answer)) return false;
  }
  if (!fed) {
    drop(i, fed.error().detail);
    return false;
  }
  if (!flush(i)) return false;
  after_bytes(i);
  return clients_[i].now != state::down;
}

void swarm::after_bytes(std::size_t i) {
  client& c = clients_[i];
  if (c.now == state::greeting && c.says->ready()) {
    c.now = state::ready;
    c.attempts = 0;
    --on_the_way_;
    came_once_ |= ++counts_.ready == clients_.size();
    c.sent = c.counted;
  }
  if (c.now == state::ready) send_messages(i);
}

// ---- messages

void swarm::send_messages(std::size_t i) {
  client& c = clients_[i];
  bytes together;
  while (c.sent < c.target && c.sent - c.counted < options_.in_flight_max) {
    put_bytes(together, c.says->message(++c.sent));
    c.sent_at.push_back(now());
  }
  if (!together.empty()) say(i, together);
}

void swarm::count_acks(client& c) {
  const std::uint64_t known = c.says->acknowledged();
  const double at = now();
  for (; c.counted < known && c.counted < c.target; ++c.counted) {
    ++counts_.acknowledged;
    --counts_.unacknowledged;
    if (c.sent_at.empty()) continue;
    ack_ms_.push_back(static_cast<float>((at - c.sent_at.front()) * 1e3));
    c.sent_at.pop_front();
  }
}

bool swarm::say(std::size_t i, byte_view plain) {
  client& c = clients_[i];
  if (auto written = c.tls->write(plain); !written) {
    drop(i, written.error().detail);
    return false;
  }
  c.spoke = now();
  return flush(i);
}

bool swarm::flush(std::size_t i) {
  client& c = clients_[i];
  if (c.tls) put_bytes(c.out, c.tls->take_output());
  std::size_t sent = 0;
  while (sent < c.out.size()) {
    const ssize_t n = ::send(c.fd, c.out.data() + sent, c.out.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      drop(i, std::string{"send: "} + std::strerror(errno));
      return false;
    }
    sent += static_cast<std::size_t>(n);
  }
  c.out.erase(c.out.begin(), c.out.begin() + static_cast<std::ptrdiff_t>(sent));
  if (c.out.empty()) c.out = bytes{};
  watch(i, !c.out.empty());
  return true;
}

void swarm::watch(std::size_t i, bool writing) {
  client& c = clients_[i];
  if (c.wants_write == writing) return;
  c.wants_write = writing;
  epoll_event e{.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.u64 = i}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &e);
}

// A gateway that says nothing for half a minute pings; a tenth of them is looked at ten times a second.
void swarm::signs_of_life() {
  const double at = now();
  if (at - swept_ < 0.1) return;
  swept_ = at;
  for (std::size_t k = 0; k < clients_.size() / 10 + 1; ++k) {
    sweep_ = (sweep_ + 1) % clients_.size();
    client& c = clients_[sweep_];
    if (c.now == state::ready && at - c.spoke > options_.sign_of_life_s) say(sweep_, c.says->sign_of_life());
  }
}

// ---- the end of a connection

void swarm::drop(std::size_t i, const std::string& why) {
  client& c = clients_[i];
  if (c.now == state::ready) ++counts_.drops;
  else ++counts_.dial_failures;
  ++failures_[why];
  close(c);
  queue_dial(i);
}

void swarm::close(client& c) {
  if (c.now == state::ready) --counts_.ready;
  else if (c.now != state::down) --on_the_way_;
  c.now = state::down;
  if (c.fd >= 0) ::close(c.fd);
  c.fd = -1;
  c.tls.reset();
  c.out = {};
  c.sent_at.clear();
}

}  // namespace tomoshibi::load
