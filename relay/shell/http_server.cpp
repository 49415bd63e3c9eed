#include "relay/shell/http_server.hpp"

#include "protocol/adapters/tcp_listen.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <map>
#include <utility>

namespace tomoshibi::relay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using code = boost::system::error_code;

constexpr int backlog = 64;

void set_headers(http::response<http::string_body>& answer) {
  answer.set(http::field::server, "tomoshibi");
  answer.set(http::field::cache_control, "no-store");
  answer.set("X-Content-Type-Options", "nosniff");
  answer.set("Content-Security-Policy",
             "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  answer.set("X-Frame-Options", "DENY");
  answer.set("Referrer-Policy", "no-referrer");
}

}  // namespace

struct http_server::impl : std::enable_shared_from_this<http_server::impl> {
  class visitor;

  impl(event_loop& loop, page_handler p, api_handler a)
      : context(loop.context()), acceptor(context), pause(loop), pages(std::move(p)), api(std::move(a)) {}

  void accept();
  void on_accepted(const code& failed, tcp::socket socket);
  http_answer answer_to(const http::request<http::string_body>& request) const;
  visitor* who_goes() const;

  asio::io_context& context;
  tcp::acceptor acceptor;
  loop_timer pause;
  page_handler pages;
  api_handler api;
  std::list<visitor*> visitors;    // oldest first; each keeps itself alive by the operation it waits for
  bool alive = true;
};

// One connection and its one request.
class http_server::impl::visitor : public std::enable_shared_from_this<visitor> {
public:
  visitor(std::shared_ptr<impl> server, tcp::socket socket)
      : server_(std::move(server)), from_(address_of(socket)), stream_(std::move(socket)),
        place_(server_->visitors.insert(server_->visitors.end(), this)) {}
  ~visitor() {
    if (counted_) server_->visitors.erase(place_);
  }

  void start() {
    parser_.header_limit(http_header_bytes_max);
    parser_.body_limit(server_->api ? http_body_bytes_max : 0);
    stream_.expires_after(http_request_patience);
    http::async_read(stream_, buffer_, parser_, beast::bind_front_handler(&visitor::on_read, shared_from_this()));
  }
  void hang_up() { stream_.cancel(); }
  // Hangs up and makes room at once; the operation that is cancelled ends later.
  void make_room() {
    counted_ = false;
    server_->visitors.erase(place_);
    hang_up();
  }
  const asio::ip::address& from() const { return from_; }
  bool asking() const { return asking_; }

private:
  static asio::ip::address address_of(const tcp::socket& socket) {
    code ignored;
    return socket.remote_endpoint(ignored).address();
  }
  void on_read(const code& failed, std::size_t) {
    if (!server_->alive || !counted_ || failed == beast::error::timeout || failed == http::error::end_of_stream) return;
    asking_ = false;
    if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
      return answer({431, "text/plain; charset=utf-8", "request header too long\n"});
    }
    if (failed == http::error::body_limit) return answer(too_much());
    if (failed && failed.category() != http::make_error_code(http::error::bad_method).category()) return;
    if (failed) return answer({400, "text/plain; charset=utf-8", "not an HTTP request\n"});
    head_only_ = parser_.get().method() == http::verb::head;
    if (server_->api && target().starts_with("/api/")) return ask_api();
    answer(server_->answer_to(parser_.get()));
  }

  http_answer too_much() const {
    if (!server_->api || !target().starts_with("/api/")) return {413, "text/plain; charset=utf-8", "no request body is taken\n"};
    return {413, "application/json",
            "{\"error\":\"the request body is longer than " + std::to_string(http_body_bytes_max) + " bytes\"}\n"};
  }

  std::string_view target() const { return {parser_.get().target().data(), parser_.get().target().size()}; }

  void ask_api() {
    const auto& request = parser_.get();
    const auto authorization = request[http::field::authorization];
    const auto path = target();
    server_->api({.method = std::string(request.method_string()), .path = std::string(path.substr(0, path.find('?'))),
                  .authorization = std::string(authorization), .body = request.body()},
                 [self = shared_from_this()](http_answer what) {
                   if (!std::exchange(self->answered_, true)) self->answer(std::move(what));
                 });
  }

  void answer(http_answer what) {
    answer_.version(11);
    answer_.result(what.status);
    answer_.keep_alive(false);
    set_headers(answer_);
    if (what.status == 405) answer_.set(http::field::allow, answered_ ? "GET, POST" : "GET, HEAD");
    if (what.status == 401) answer_.set(http::field::www_authenticate, "Bearer");
    answer_.set(http::field::content_type, what.content_type);
    answer_.content_length(what.body.size());
    if (!head_only_) answer_.body() = std::move(what.body);
    stream_.expires_after(http_answer_patience);
    http::async_write(stream_, answer_, beast::bind_front_handler(&visitor::on_written, shared_from_this()));
  }

  void on_written(const code&, std::size_t) {
    code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  std::shared_ptr<impl> server_;
  asio::ip::address from_;
  bool asking_ = true;     // the request is not whole yet
  bool counted_ = true;    // in server_->visitors
  beast::tcp_stream stream_;
  beast::flat_static_buffer<http_header_bytes_max> buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> answer_;
  bool head_only_ = false;
  bool answered_ = false;  // by the API
  std::list<visitor*>::iterator place_;
};

http_server::impl::visitor* http_server::impl::who_goes() const {
  std::map<asio::ip::address, std::size_t> held;
  for (const visitor* v : visitors) ++held[v->from()];
  visitor* chosen = nullptr;
  for (visitor* v : visitors)
    if (v->asking() && (!chosen || held[v->from()] > held[chosen->from()])) chosen = v;
  return chosen;
}

http_answer http_server::impl::answer_to(const http::request<http::string_body>& request) const {
  if (!request.body().empty()) return {413, "text/plain; charset=utf-8", "no request body is taken\n"};
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return {405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
  }
  const std::string_view target{request.target().data(), request.target().size()};
  return pages(target.substr(0, target.find('?')));
}

void http_server::impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](const code& failed, tcp::socket socket) { self->on_accepted(failed, std::move(socket)); });
}

void http_server::impl::on_accepted(const code& failed, tcp::socket socket) {
  if (!alive || failed == asio::error::operation_aborted) return;
  if (failed) return pause.set_after(accept_pause, [this] { accept(); });
  if (visitors.size() >= http_connections_max) {
    if (visitor* leaves = who_goes()) leaves->make_room();
  }
  if (visitors.size() < http_connections_max) {
    std::make_shared<visitor>(shared_from_this(), std::move(socket))->start();
  }
  accept();
}

http_server::http_server(std::shared_ptr<impl> p) : impl_(std::move(p)) {}

http_server::~http_server() {
  impl_->alive = false;
  impl_->pause.cancel();
  code ignored;
  impl_->acceptor.close(ignored);
  for (auto* visitor : impl_->visitors) visitor->hang_up();
}

result<std::unique_ptr<http_server>> http_server::open(event_loop& loop, const endpoint& at, page_handler pages,
                                                       api_handler api) {
  auto inside = std::make_shared<impl>(loop, std::move(pages), std::move(api));
  if (auto ok = listen_at(inside->acceptor, at, backlog); !ok) return std::unexpected{ok.error()};
  inside->accept();
  return std::unique_ptr<http_server>(new http_server(std::move(inside)));
}

endpoint http_server::local() const { return local_of(impl_->acceptor); }

}  // namespace tomoshibi::relay
