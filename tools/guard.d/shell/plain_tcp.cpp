#include "tools/guard.d/shell/plain_tcp.hpp"

#include "protocol/adapters/tcp_listen.hpp"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace tomoshibi::guard {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using code = boost::system::error_code;
constexpr std::size_t queue_bytes_max = 64 * 1024;
constexpr int backlog = 1024;

result<tcp::endpoint> to_asio(const endpoint& at) {
  code failed;
  const auto address = asio::ip::make_address(at.address, failed);
  if (failed) return fail(errc::config_invalid, "not an IP address: '" + at.address + "'");
  return tcp::endpoint{address, at.port};
}

}  // namespace

struct plain_stream::impl : std::enable_shared_from_this<plain_stream::impl> {
  explicit impl(event_loop& loop) : socket(loop.context()) {}

  void prepare() {
    code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
  }
  void on_connected(const code& failed) {
    if (events == nullptr) return;
    if (failed) return finish({errc::net_unreachable, failed.message()});
    prepare();
    read();
    events->on_open({});
  }
  void read() {
    socket.async_read_some(asio::buffer(buffer), [self = shared_from_this()](const code& failed, std::size_t n) {
      self->on_read(failed, n);
    });
  }
  void on_read(const code& failed, std::size_t n) {
    if (events == nullptr) return;
    if (failed) return finish({errc::net_closed, failed.message()});
    events->on_bytes(byte_view{buffer}.first(n));
    if (events != nullptr) read();
  }
  void write() {
    if (writing || queue.empty()) return;
    writing = true;
    sending.swap(queue);
    asio::async_write(socket, asio::buffer(sending), [self = shared_from_this()](const code& failed, std::size_t) {
      self->on_written(failed);
    });
  }
  void on_written(const code& failed) {
    writing = false;
    sending.clear();
    if (!failed && events != nullptr) write();   // a failure is told by the reader
  }
  void finish(error why) {
    tls_stream_events* told = events;
    detach();
    if (told != nullptr) told->on_closed(why);
  }
  void detach() {
    events = nullptr;
    code ignored;
    socket.close(ignored);
  }

  tcp::socket socket;
  tls_stream_events* events = nullptr;
  std::array<std::uint8_t, 4096> buffer{};
  bytes queue, sending;
  bool writing = false;
};

plain_stream::plain_stream(std::shared_ptr<impl> p) : impl_(std::move(p)) {}
plain_stream::~plain_stream() { impl_->detach(); }

std::unique_ptr<plain_stream> plain_stream::connect(event_loop& loop, const endpoint& to, tls_stream_events& events) {
  auto inside = std::make_shared<impl>(loop);
  inside->events = &events;
  const auto at = to_asio(to);
  inside->socket.async_connect(at.value_or(tcp::endpoint{}), [inside](const code& failed) { inside->on_connected(failed); });
  return std::make_unique<plain_stream>(inside);
}

void plain_stream::start(tls_stream_events& events) {
  impl_->events = &events;
  impl_->prepare();
  impl_->read();
}

status plain_stream::send(byte_view data) {
  if (impl_->events == nullptr) return fail(errc::net_closed);
  if (impl_->queue.size() + data.size() > queue_bytes_max) return fail(errc::too_long, "the peer does not read");
  put_bytes(impl_->queue, data);
  impl_->write();
  return {};
}

void plain_stream::reset() {
  code ignored;
  // What has just been written leaves first; then the kernel sends the reset.
  impl_->socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  impl_->detach();
}

struct plain_listener::impl : std::enable_shared_from_this<plain_listener::impl> {
  impl(event_loop& l, accept_handler h) : loop(l), on_accept(std::move(h)), acceptor(l.context()), pause(l) {}
  void accept() {
    acceptor.async_accept([self = shared_from_this()](const code& failed, tcp::socket socket) {
      self->on_accepted(failed, std::move(socket));
    });
  }
  void on_accepted(const code& failed, tcp::socket socket) {
    if (!alive) return;
    if (failed) return pause.set_after(accept_pause, [this] { accept(); });
    auto inside = std::make_shared<plain_stream::impl>(loop);
    inside->socket = std::move(socket);
    on_accept(std::make_unique<plain_stream>(std::move(inside)));
    if (alive) accept();
  }

  event_loop& loop;
  accept_handler on_accept;
  tcp::acceptor acceptor;
  loop_timer pause;
  bool alive = true;
};

plain_listener::plain_listener(std::shared_ptr<impl> p) : impl_(std::move(p)) {}
plain_listener::~plain_listener() {
  impl_->alive = false;
  impl_->pause.cancel();
  code ignored;
  impl_->acceptor.close(ignored);
}

result<std::unique_ptr<plain_listener>> plain_listener::open(event_loop& loop, const endpoint& at, accept_handler on_accept) {
  auto inside = std::make_shared<impl>(loop, std::move(on_accept));
  if (auto opened = listen_at(inside->acceptor, at, backlog); !opened) return std::unexpected(opened.error());
  inside->accept();
  return std::unique_ptr<plain_listener>(new plain_listener(std::move(inside)));
}

endpoint plain_listener::local() const { return local_of(impl_->acceptor); }

}  // namespace tomoshibi::guard
