#include "protocol/adapters/tls_stream_impl.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace tomoshibi {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
constexpr int backlog = 4096;  // thousands of gateways come back together after an outage

}  // namespace

struct tls_listener::impl : std::enable_shared_from_this<tls_listener::impl> {
  impl(event_loop& l, tls_context_ptr c, accept_handler h, const tls_stream_options& o)
      : loop(l), context(std::move(c)), on_accept(std::move(h)), options(o), acceptor(l.context()), pause(l) {}

  void accept();
  void on_accepted(const boost::system::error_code& failed, tcp::socket socket);

  event_loop& loop;
  tls_context_ptr context;
  accept_handler on_accept;
  tls_stream_options options;
  tcp::acceptor acceptor;
  loop_timer pause;
  std::shared_ptr<handshake_gate> gate = std::make_shared<handshake_gate>(loop);
  bool alive = true;
};

void tls_listener::impl::accept() {
  acceptor.async_accept([self = shared_from_this()](const boost::system::error_code& failed, tcp::socket socket) {
    self->on_accepted(failed, std::move(socket));
  });
}

void tls_listener::impl::on_accepted(const boost::system::error_code& failed, tcp::socket socket) {
  if (!alive) return;
  if (failed) return pause.set_after(accept_pause, [this] { accept(); });
  auto inside = std::make_shared<tls_stream::impl>(loop, context, options);
  inside->socket = std::move(socket);
  inside->gate = gate;
  inside->note_remote();
  on_accept(std::make_unique<tls_stream>(std::move(inside)));
  if (alive) accept();
}

tls_listener::tls_listener(std::shared_ptr<impl> p) : impl_(std::move(p)) {}

result<std::unique_ptr<tls_listener>> tls_listener::open(event_loop& loop, tls_context_ptr context, const endpoint& at,
                                                         accept_handler on_accept, const tls_stream_options& options) {
  auto inside = std::make_shared<impl>(loop, std::move(context), std::move(on_accept), options);
  if (auto opened = listen_at(inside->acceptor, at, backlog); !opened) return std::unexpected(opened.error());
  inside->accept();
  return std::unique_ptr<tls_listener>(new tls_listener(std::move(inside)));
}

tls_listener::~tls_listener() {
  impl_->alive = false;
  impl_->pause.cancel();
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
}

void tls_listener::use(tls_context_ptr context) { impl_->context = std::move(context); }

endpoint tls_listener::local() const { return local_of(impl_->acceptor); }

}  // namespace tomoshibi
