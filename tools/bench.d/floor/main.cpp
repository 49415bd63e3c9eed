// The floor: what the same transport and durability cost when nothing else is done. One thread, one epoll, our TLS engine, blobs
// committed in groups (WAL, synchronous=FULL), acknowledged after the commit. It looks at nobody's name, judges nothing, and
// stores frames as they come: a throw-away to measure against, not a relay.
//
//   bench-floor PORT DATABASE CERTIFICATE KEY CA RECORDS_IN_A_FRAME
#include "protocol/adapters/clock_source.hpp"
#include "protocol/adapters/sqlite_db.hpp"
#include "protocol/adapters/ticket_keys.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace tomoshibi;

constexpr int backlog = 4096;
constexpr int events_per_turn = 2048;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench-floor: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(result<T> r) {
  if (!r) die(r.error().detail);
  return std::move(*r);
}

struct connection {
  int fd;
  tls_engine tls;
  wire::frame_reader reader;
  bool greeted = false;
  bool heard = false;           // a frame of this turn waits for its commit
  bool writing = false;         // waits until the kernel takes the rest of `out`
  std::uint64_t frames = 0;
  bytes out;
};

class floor_server {
public:
  floor_server(int port, sqlite_db db, tls_context_ptr tls, std::uint64_t records)
      : db_(std::move(db)), tls_(std::move(tls)), records_(records), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (auto made = db_.exec("CREATE TABLE IF NOT EXISTS frame (id INTEGER PRIMARY KEY, data BLOB NOT NULL)"); !made)
      die(made.error().detail);
    insert_ = std::make_unique<statement>(must(db_.prepare("INSERT INTO frame (data) VALUES (?)")));
    listen_on(port);
  }
  [[noreturn]] void run() {
    std::array<epoll_event, events_per_turn> events;
    for (;;) {
      const int n = ::epoll_wait(epoll_, events.data(), events_per_turn, -1);
      for (int i = 0; i < n; ++i) {
        const epoll_event& e = events[static_cast<std::size_t>(i)];
        if (e.data.ptr == nullptr) take_connections();
        else serve(*static_cast<connection*>(e.data.ptr), e.events);
      }
      if (!waiting_.empty()) commit();
    }
  }

private:
  void listen_on(int port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, backlog) != 0)
      die("the port is taken");
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
  }
  void watch(int what, int fd, connection* c, std::uint32_t events) const {
    epoll_event e{.events = events, .data = {.ptr = c}};
    ::epoll_ctl(epoll_, what, fd, &e);
  }
  void take_connections() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int yes = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      watch(EPOLL_CTL_ADD, fd, new connection{.fd = fd, .tls = must(tls_engine::start(tls_)), .reader = {}, .out = {}}, EPOLLIN);
    }
  }
  void serve(connection& c, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !flush(c)) return end(c);
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    std::array<std::uint8_t, 16 * 1024> buffer;
    const ssize_t n = ::recv(c.fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || !c.tls.feed({buffer.data(), static_cast<std::size_t>(n)}) || !take(c) || !flush(c)) end(c);
  }
  bool take(connection& c) {
    const bytes plain = c.tls.take_plain();
    for (byte_view left{plain}; !left.empty();) {
      const auto frame = c.reader.next(left);
      if (!frame) return false;
      if (!*frame) break;
      if (!c.greeted) {
        c.greeted = true;
        if (!c.tls.write(*wire::encode_frame(wire::welcome{.wall = clock_.wall().at}))) return false;
      } else if ((**frame)[0] != ping_tag_) {
        store(c, **frame);
      }
    }
    return true;
  }
  void store(connection& c, byte_view frame) {
    if (!in_transaction_) transaction_.emplace_back(must(transaction::begin(db_)));
    in_transaction_ = true;
    if (auto done = insert_->bind(1, frame).run(); !done) die(done.error().detail);
    ++c.frames;
    if (!c.heard) waiting_.push_back(&c);
    c.heard = true;
  }
  void commit() {
    if (auto done = transaction_.back().commit(); !done) die(done.error().detail);
    transaction_.clear();
    in_transaction_ = false;
    for (connection* c : std::exchange(waiting_, {})) {
      if (c == nullptr) continue;
      c->heard = false;
      if (!c->tls.write(*wire::encode_frame(wire::ack{c->frames * records_})) || !flush(*c)) end(*c);
    }
  }
  bool flush(connection& c) {
    put_bytes(c.out, c.tls.take_output());
    std::size_t sent = 0;
    while (sent < c.out.size()) {
      const ssize_t n = ::send(c.fd, c.out.data() + sent, c.out.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    c.out.erase(c.out.begin(), c.out.begin() + static_cast<std::ptrdiff_t>(sent));
    if (c.out.empty()) c.out = bytes{};
    if (c.writing == c.out.empty()) {
      c.writing = !c.out.empty();
      watch(EPOLL_CTL_MOD, c.fd, &c, c.writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
  }
  void end(connection& c) {
    std::replace(waiting_.begin(), waiting_.end(), &c, static_cast<connection*>(nullptr));
    ::close(c.fd);
    delete &c;
  }

  std::uint8_t ping_tag_ = (*wire::encode_frame(wire::ping{1}))[2];  // behind the length: which message it is
  system_clock_source clock_;
  sqlite_db db_;
  std::unique_ptr<statement> insert_;
  std::vector<transaction> transaction_;   // none or one
  bool in_transaction_ = false;
  tls_context_ptr tls_;
  std::uint64_t records_;
  int epoll_;
  int listener_ = -1;
  std::vector<connection*> waiting_;       // for the commit of this turn; null: gone meanwhile
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) die("usage: bench-floor PORT DATABASE CERTIFICATE KEY CA RECORDS_IN_A_FRAME");
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  auto tickets = std::make_shared<ticket_keys>();
  tickets->turn(system_clock_source{}.wall().at, {});  // a secret of zeros does for a floor
  auto tls = make_tls_server(must(load_tls_identity({argv[3], argv[4], argv[5]})),
                             []() -> std::optional<wall_at> { return system_clock_source{}.wall().at; }, tickets);
  floor_server server{std::atoi(argv[1]), must(sqlite_db::open(argv[2])), must(std::move(tls)),
                      static_cast<std::uint64_t>(std::atoi(argv[6]))};
  server.run();
}
