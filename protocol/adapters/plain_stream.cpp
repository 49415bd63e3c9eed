#include "protocol/adapters/plain_stream.hpp"

#include "protocol/adapters/tcp_dial.hpp"
#include "protocol/adapters/tcp_listen.hpp"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using code = boost::system::error_code;

}  // namespace

struct plain_stream::impl : std::enable_shared_from_this<plain_stream::impl> {
  impl(event_loop& l, const tls_stream_options& o) : loop(l), options(o), socket(l.context()), deadline(l) {}

  void connect(const tls_stream::target& to) {
    deadline.set_after(options.connect_timeout, [this] { finish({errc::net_timeout, "no connection in time"}); });
    find_addresses(loop, resolver, to.address.empty() ? to.host : to.address, to.port,
                   [self = shared_from_this()](const code& failed, std::vector<tcp::endpoint> found) {
                     if (!self->over) self->dial(failed, found);
                   });
  }
  void dial(const code& failed, const std::vector<tcp::endpoint>& found) {
    if (failed) return finish({errc::net_unreachable, "name: " + failed.message()});
    asio::async_connect(socket, found, [self = shared_from_this()](const code& no, const tcp::endpoint&) {
      self->on_connected(no);
    });
  }
  void on_connected(const code& failed) {
    if (over) return;
    if (failed) return finish({errc::net_unreachable, "connect: " + failed.message()});
    deadline.cancel();
    open();
    read();
    events->on_open({});
  }
  void open() {
    prepare_connection(socket);
    code failed;
    const auto at = socket.remote_endpoint(failed);
    if (!failed) peer = to_endpoint(at);
    is_open = true;
  }
  void read() {
    socket.async_read_some(asio::buffer(buffer), [self = shared_from_this()](const code& failed, std::size_t n) {
      self->on_read(failed, n);
    });
  }
  void on_read(const code& failed, std::size_t n) {
    if (over) return;
    if (failed) return finish({errc::net_closed, "receive: " + failed.message()});
    events->on_bytes(byte_view{buffer}.first(n));
    if (!over) read();
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
    if (!failed && !over) write();   // a failure is told by the reader
  }
  void finish(error why) {
    if (over) return;
    end();
    loop.post([self = shared_from_this(), why = std::move(why)] {
      if (tls_stream_events* e = std::exchange(self->events, nullptr)) e->on_closed(why);
    });
  }
  void end() {
    over = true;
    deadline.cancel();
    if (resolver) resolver->cancel();
    code ignored;
    socket.close(ignored);
  }
  void detach() {
    events = nullptr;
    end();
  }

  event_loop& loop;
  tls_stream_options options;
  tcp::socket socket;
  std::optional<tcp::resolver> resolver;
  tls_stream_events* events = nullptr;           // null: destroyed, not started, or told of the end
  loop_timer deadline;
  std::array<std::uint8_t, 4096> buffer{};
  bytes queue, sending;
  endpoint peer;
  bool writing = false;
  bool is_open = false;
  bool over = false;
};

plain_stream::plain_stream(std::shared_ptr<impl> p) : impl_(std::move(p)) {}
plain_stream::~plain_stream() { impl_->detach(); }

std::unique_ptr<plain_stream> plain_stream::connect(event_loop& loop, const tls_stream::target& to, tls_stream_events& events,
                                                    const tls_stream_options& options) {
  auto inside = std::make_shared<impl>(loop, options);
  inside->events = &events;
  inside->connect(to);
  return std::unique_ptr<plain_stream>(new plain_stream(std::move(inside)));
}

std::unique_ptr<plain_stream> plain_stream::accepted(event_loop& loop, int descriptor) {
  auto inside = std::make_shared<impl>(loop, tls_stream_options{});
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  code failed;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) != 0) own.ss_family = AF_INET;
  inside->socket.assign(own.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, failed);
  if (failed) ::close(descriptor);               // the reader then says that it is closed
  return std::unique_ptr<plain_stream>(new plain_stream(std::move(inside)));
}

void plain_stream::start(tls_stream_events& events) {
  impl_->events = &events;
  impl_->open();
  impl_->read();
}

status plain_stream::send(byte_view data) {
  if (!impl_->is_open || impl_->over) return fail(errc::net_closed, "not open");
  if (impl_->queue.size() + impl_->sending.size() + data.size() > impl_->options.queue_bytes_max)
    return fail(errc::too_long, "the peer does not read");
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

const endpoint& plain_stream::remote() const { return impl_->peer; }

}  // namespace tomoshibi
