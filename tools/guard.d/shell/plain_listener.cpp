#include "tools/guard.d/shell/plain_listener.hpp"

#include "protocol/adapters/tcp_listen.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace tomoshibi::guard {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using code = boost::system::error_code;
constexpr int backlog = 1024;

}  // namespace

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
    code lost;
    const int descriptor = socket.release(lost);
    if (!lost) on_accept(plain_stream::accepted(loop, descriptor));
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
