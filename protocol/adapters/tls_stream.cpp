#include "protocol/adapters/tls_stream.hpp"

#include "protocol/adapters/tcp_dial.hpp"
#include "protocol/adapters/tls_stream_impl.hpp"
#include "protocol/base/check.hpp"

#include <array>
#include <boost/asio/connect.hpp>

namespace tomoshibi {
namespace {

namespace asio = boost::asio;
constexpr std::size_t read_bytes = 16 * 1024;   // on the stack, so that 20,000 idle connections hold no buffer
constexpr int reads_per_turn_max = 4;           // then the others get their turn
constexpr std::size_t record_overhead = 64;     // header, type, tag of a TLS record, and some

error net_error(const boost::system::error_code& code, std::string_view doing, errc as) {
  return error{as, std::string(doing) + ": " + code.message()};
}

}  // namespace


tls_stream::impl::impl(event_loop& l, tls_context_ptr c, const tls_stream_options& o)
    : loop(l), context(std::move(c)), options(o), socket(l.context()), deadline(l) {}

// ---- getting connected

void tls_stream::impl::connect(const target& to) {
  now = state::connecting;
  server_name = to.host;
  deadline.set_after(options.connect_timeout, [this] { finish({errc::net_timeout, "no TLS connection in time"}); });
  find_addresses(loop, resolver, to.address.empty() ? to.host : to.address, to.port,
                 [self = shared_from_this()](const code& failed, std::vector<tcp::endpoint> found) {
                   if (self->now != state::connecting) return;
                   if (failed) return self->finish(net_error(failed, "name", errc::net_unreachable));
                   self->dial(found);
                 });
}

void tls_stream::impl::dial(const std::vector<tcp::endpoint>& endpoints) {
  dialled = endpoints;
  asio::async_connect(socket, endpoints,
                      [self = shared_from_this()](const code& failed, const tcp::endpoint&) { self->on_dialled(failed); });
}

void tls_stream::impl::on_dialled(const code& failed) {
  if (now != state::connecting) return;
  if (failed) return finish(net_error(failed, "connect", errc::net_unreachable));
  start_engine(server_name);
}

// The server did not take our ticket: once more, with the certificate, within the same time-out.
void tls_stream::impl::dial_again() {
  code ignored;
  socket.close(ignored);
  engine.reset();
  queue.clear();
  sent = 0;
  now = state::connecting;
  options.resumption = tls_resumption::off;
  dial(std::exchange(dialled, {}));
}

void tls_stream::impl::begin(tls_stream_events& e) {
  TOMO_REQUIRE(now == state::waiting);
  events = &e;
  deadline.set_after(options.connect_timeout, [this] { finish({errc::net_timeout, "no TLS handshake in time"}); });
  start_engine({});
}

void tls_stream::impl::note_remote() {
  code failed;
  const auto at = socket.remote_endpoint(failed);
  if (!failed) peer = to_endpoint(at);
}

void tls_stream::impl::start_engine(const std::string& name) {
  now = state::handshake;
  note_remote();
  prepare_connection(socket);
  auto started = tls_engine::start(context, name, options.resumption);
  if (!started) return finish(started.error());
  engine.emplace(std::move(*started));
  flush();
  wait_readable();
}

// ---- bytes in

void tls_stream::impl::wait_readable() {
  if (now == state::closed) return;
  socket.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const code& failed) {
    if (!failed && self->now != state::closed) self->on_readable();
  });
}

void tls_stream::impl::on_readable() {
  if (!gate || now != state::handshake) return read_available();
  gate->queue(begun, [self = shared_from_this()] {
    self->begun = true;
    if (self->now != state::closed) self->read_available();
  });
}

void tls_stream::impl::read_available() {
  const auto self = shared_from_this();  // a callback may destroy the stream
  std::array<std::uint8_t, read_bytes> buffer;
  for (int i = 0; i < reads_per_turn_max; ++i) {
    code failed;
    const std::size_t n = socket.read_some(asio::buffer(buffer), failed);
    if (failed == asio::error::would_block || failed == asio::error::try_again) break;
    if (failed == asio::error::eof) return finish({errc::net_closed, "the peer ended the connection"});
    if (failed) return finish(net_error(failed, "receive", errc::net_closed));
    if (!take_bytes({buffer.data(), n})) return;
  }
  wait_readable();
}

bool tls_stream::impl::take_bytes(byte_view cipher) {
  if (now == state::closing) return true;  // thrown away unread: who floods us until the last byte costs no decryption
  const auto fed = engine->feed(cipher);
  flush();  // also after a failure: the alert tells the peer why
  if (now == state::closed) return false;
  if (engine->refused_ticket() && options.resumption == tls_resumption::on) {
    dial_again();
    return false;
  }
  if (now == state::handshake && engine->open()) {
    now = state::open;
    gate.reset();
    dialled = {};
    deadline.cancel();
    events->on_open(engine->peer());
    if (events == nullptr) return false;
  }
  const bytes plain = engine->take_plain();
  if (!plain.empty() && now == state::open) events->on_bytes(plain);
  if (events == nullptr || now == state::closed) return false;
  if (!fed) {
    finish(fed.error());
    return false;
  }
  if (engine->closed()) {
    finish({errc::net_closed, "the peer closed the connection"});
    return false;
  }
  return true;
}

// ---- bytes out

void tls_stream::impl::flush() {
  if (!engine || now == state::closed) return;
  put_bytes(queue, engine->take_output());
  if (!writing) (void)write_some();
}

bool tls_stream::impl::write_some() {
  while (sent < queue.size()) {
    code failed;
    const std::size_t n = socket.write_some(asio::buffer(queue.data() + sent, queue.size() - sent), failed);
    if (failed == asio::error::would_block || failed == asio::error::try_again) {
      writing = true;
      socket.async_wait(tcp::socket::wait_write,
                        [self = shared_from_this()](const code& no) { self->on_writable(no); });
      return true;
    }
    if (failed) {
      finish(net_error(failed, "send", errc::net_closed));
      return false;
    }
    sent += n;
  }
  queue.clear();
  queue.shrink_to_fit();  // an idle connection holds no buffer
  sent = 0;
  return true;
}

void tls_stream::impl::on_writable(const code& failed) {
  writing = false;
  if (failed || now == state::closed) return;
  if (!write_some() || writing) return;
  if (now == state::closing) return finish({errc::net_closed, "closed"});
  if (events != nullptr && now == state::open) events->on_drained();
}

// ---- the end

void tls_stream::impl::finish(error why) {
  if (now == state::closed) return;
  now = state::closed;
  deadline.cancel();
  code ignored;
  if (resolver) resolver->cancel();
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  socket.close(ignored);
  if (events == nullptr) return;
  loop.post([self = shared_from_this(), why = std::move(why)] {
    if (tls_stream_events* e = std::exchange(self->events, nullptr)) e->on_closed(why);
  });
}

void tls_stream::impl::detach() {
  events = nullptr;
  finish({errc::net_closed, "dropped"});
}

// ---- public face

tls_stream::tls_stream(std::shared_ptr<impl> p) : impl_(std::move(p)) {}
tls_stream::~tls_stream() { impl_->detach(); }

std::unique_ptr<tls_stream> tls_stream::connect(event_loop& loop, tls_context_ptr context, const target& to,
                                                tls_stream_events& events, const tls_stream_options& options) {
  auto inside = std::make_shared<impl>(loop, std::move(context), options);
  inside->events = &events;
  inside->connect(to);
  return std::make_unique<tls_stream>(std::move(inside));
}

void tls_stream::start(tls_stream_events& events) { impl_->begin(events); }

status tls_stream::send(byte_view plain) {
  if (impl_->now != impl::state::open) return fail(errc::net_closed, "not open");
  const std::size_t records = plain.size() / 4096 + 1;
  if (queued() + plain.size() + records * record_overhead > impl_->options.queue_bytes_max)
    return fail(errc::too_long, "send queue is full");
  if (auto written = impl_->engine->write(plain); !written) {
    impl_->finish(written.error());
    return written;
  }
  impl_->flush();
  return {};
}

std::size_t tls_stream::queued() const { return impl_->queue.size() - impl_->sent; }

void tls_stream::close() {
  impl& me = *impl_;
  if (me.now == impl::state::closed || me.now == impl::state::closing) return;
  if (me.now != impl::state::open) return me.finish({errc::net_closed, "closed"});
  me.engine->close();
  me.now = impl::state::closing;
  me.flush();
  if (me.now == impl::state::closed) return;
  if (!me.writing) return me.finish({errc::net_closed, "closed"});
  me.deadline.set_after(me.options.close_timeout, [&me] { me.finish({errc::net_timeout, "closed with bytes left"}); });
}

const endpoint& tls_stream::remote() const { return impl_->peer; }

}  // namespace tomoshibi
