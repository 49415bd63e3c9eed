#include "protocol/adapters/tls_stream.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

using namespace testing;

const test_pki& pki() {
  static const test_pki made;
  return made;
}

// One end of a connection that writes down what happens to it.
struct listener_end final : tls_stream_events {
  void on_open(const tls_peer& peer) override {
    log += "open(" + peer.common_name + (peer.resumed ? ", resumed" : "") + ") ";
    if (opened) opened();
  }
  void on_bytes(byte_view plain) override {
    put_bytes(heard, plain);
    if (got_bytes) got_bytes();
  }
  void on_drained() override {
    ++drained;
    if (got_drained) got_drained();
  }
  void on_closed(const error& why) override {
    log += "closed(" + std::string(name_of(why.code)) + ") ";
    detail = why.detail;
    if (closed) closed();
  }
  std::string log, detail;
  bytes heard;
  int drained = 0;
  std::function<void()> opened, got_bytes, got_drained, closed;
};

struct fixture {
  fixture() {
    auto opened = event_loop::open({});
    REQUIRE(opened);
    loop = std::move(*opened);
    auto context = make_tls_server(pki().server(), at_date(certificates_used));
    REQUIRE(context);
    auto listening = tls_listener::open(*loop, *context, {"127.0.0.1", 0}, [this](std::unique_ptr<tls_stream> s) {
      server = std::move(s);
      server->start(server_end);
    }, options);
    REQUIRE(listening);
    listener = std::move(*listening);
    limit.emplace(*loop);
    limit->set_after(20s, [this] { loop->stop(); });  // a test that hangs fails instead
  }
  ~fixture() {
    client.reset();
    server.reset();
  }
  void dial(const std::string& host = "127.0.0.1", const tls_identity& who = pki().gateway()) {
    auto context = make_tls_client(who, at_date(certificates_used));
    REQUIRE(context);
    client = tls_stream::connect(*loop, *context, {host, listener->local().port}, client_end, options);
  }
  void run() { REQUIRE(loop->run()); }

  tls_stream_options options{};
  std::unique_ptr<event_loop> loop;
  std::unique_ptr<tls_listener> listener;
  std::unique_ptr<tls_stream> client, server;
  listener_end client_end, server_end;
  std::optional<loop_timer> limit;
};

}  // namespace

// Goal: over real sockets both ends open, know each other, exchange bytes, and close in order, each told once.
TEST_CASE("a stream opens, talks and closes") {
  fixture f;
  f.client_end.opened = [&] { REQUIRE(f.client->send(as_bytes("question"))); };
  f.server_end.got_bytes = [&] { REQUIRE(f.server->send(as_bytes("answer"))); };
  f.client_end.got_bytes = [&] { f.client->close(); };
  f.server_end.closed = [&] { f.loop->stop(); };
  f.dial();
  f.run();
  CHECK(as_text(f.server_end.heard) == "question");
  CHECK(as_text(f.client_end.heard) == "answer");
  CHECK(f.server_end.log == "open(box-1) closed(net_closed) ");
  CHECK(f.client_end.log == "open(relay.test) closed(net_closed) ");
  CHECK(f.server->remote().address == "127.0.0.1");
  CHECK_FALSE(f.client->send(as_bytes("late")));
}

// Goal: names are resolved; the name that was dialled is the one that the certificate must carry.
TEST_CASE("a name that the certificate does not carry is refused") {
  fixture f;
  f.client_end.closed = [&] { f.loop->stop(); };
  f.dial("localhost");
  f.run();
  CHECK(f.client_end.log == "closed(tls_failed) ");
  CHECK(f.client_end.detail.find("certificate refused") != std::string::npos);
}

// Goal: a client of another authority costs the server one refused stream; both sides learn why.
TEST_CASE("a stranger is refused with a reason on both sides") {
  fixture f;
  const test_pki other;
  tls_identity stranger = other.gateway();
  stranger.ca_pem = pki().ca().certificate_pem;
  int closed = 0;
  f.client_end.closed = f.server_end.closed = [&] { if (++closed == 2) f.loop->stop(); };
  f.dial("127.0.0.1", stranger);
  f.run();
  CHECK(f.server_end.log == "closed(tls_failed) ");
  CHECK(f.client_end.log.ends_with("closed(tls_failed) "));   // TLS 1.3: the client may already have been open
}

// Goal: a peer that takes nothing fills the queue to its limit and no further; what was taken arrives when it reads.
TEST_CASE("the send queue is bounded") {
  fixture f;
  // The server end is a plain socket that does not read: nothing of ours runs there.
  std::size_t sent = 0;
  status last;
  f.client_end.opened = [&] {
    const bytes block(8000, 1);
    // Without a turn of the loop the server reads nothing: first the kernel's buffers fill, then our queue.
    while ((last = f.client->send(block))) sent += block.size();
    CHECK(f.client->queued() > 0);
    CHECK(f.client->queued() <= f.options.queue_bytes_max);
  };
  f.server_end.got_bytes = [&] { if (f.server_end.heard.size() >= sent && sent != 0 && f.client_end.drained > 0) f.loop->stop(); };
  f.client_end.got_drained = [&] { if (f.server_end.heard.size() >= sent) f.loop->stop(); };
  f.dial();
  f.run();
  REQUIRE_FALSE(last);
  CHECK(last.error().code == errc::too_long);
  CHECK(f.server_end.heard.size() == sent);
  CHECK(f.client_end.drained == 1);
}

// Goal: close() lets what is queued arrive before the end.
TEST_CASE("closing sends what is queued") {
  fixture f;
  const bytes block(50'000, 7);
  f.client_end.opened = [&] {
    REQUIRE(f.client->send(block));
    f.client->close();
  };
  f.server_end.closed = [&] { f.loop->stop(); };
  f.dial();
  f.run();
  CHECK(f.server_end.heard == block);
  CHECK(f.server_end.log == "open(box-1) closed(net_closed) ");
}

// Goal: nobody there, a silent server and a silent client each end in their own error.
TEST_CASE("a peer that is not there or says nothing") {
  fixture f;
  f.client_end.closed = f.server_end.closed = [&] { f.loop->stop(); };
  SECTION("nobody listens") {
    f.dial();
    const auto port = f.listener->local().port;
    f.client.reset();
    f.listener.reset();
    auto context = make_tls_client(pki().gateway(), {});
    f.client = tls_stream::connect(*f.loop, *context, {"127.0.0.1", port}, f.client_end);
    f.run();
    CHECK(f.client_end.log == "closed(net_unreachable) ");
  }
  SECTION("a client that does not speak TLS in time") {
    f.options.connect_timeout = 20ms;
    auto context = make_tls_server(pki().server(), {});
    auto impatient = tls_listener::open(*f.loop, *context, {"127.0.0.1", 0}, [&f](std::unique_ptr<tls_stream> s) {
      f.server = std::move(s);
      f.server->start(f.server_end);
    }, f.options);
    REQUIRE(impatient);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons((*impatient)->local().port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    f.run();
    CHECK(f.server_end.log == "closed(net_timeout) ");
    ::close(fd);
  }
}

// Goal: a stream destroyed inside its own callback, or before anything came of it, calls nobody afterwards.
TEST_CASE("a destroyed stream is silent") {
  fixture f;
  SECTION("in on_open") { f.client_end.opened = [&] { f.client.reset(); }; }
  SECTION("in on_bytes") {
    f.server_end.opened = [&] { REQUIRE(f.server->send(as_bytes("x"))); };
    f.client_end.got_bytes = [&] { f.client.reset(); };
  }
  f.server_end.closed = [&] { f.loop->stop(); };
  f.dial();
  f.run();
  CHECK(f.client_end.log == "open(relay.test) ");
  CHECK(f.server_end.log.ends_with("closed(net_closed) "));
}

// Goal: a port that is taken and an address that is none are told at the start.
TEST_CASE("a listener says why it cannot listen") {
  fixture f;
  auto context = make_tls_server(pki().server(), {});
  const auto taken = tls_listener::open(*f.loop, *context, f.listener->local(), [](std::unique_ptr<tls_stream>) {});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == errc::net_unreachable);
  CHECK(taken.error().detail.find(std::to_string(f.listener->local().port)) != std::string::npos);
  CHECK(tls_listener::open(*f.loop, *context, {"relay.test", 0}, [](std::unique_ptr<tls_stream>) {}).error().code == errc::config_invalid);
}

// Goal: a stream resumes by itself; a ticket that the server does not take costs a second dial that nobody above sees.
TEST_CASE("a client resumes, and dials again with its certificate where it cannot") {
  fixture f;
  auto keys = std::make_shared<ticket_keys>();
  keys->turn(certificates_used, {1});
  std::vector<std::unique_ptr<tls_stream>> accepted;
  auto server = make_tls_server(pki().server(), at_date(certificates_used), keys);
  REQUIRE(server);
  auto listening = tls_listener::open(*f.loop, *server, {"127.0.0.1", 0}, [&](std::unique_ptr<tls_stream> s) {
    accepted.push_back(std::move(s));
    accepted.back()->start(f.server_end);
  });
  REQUIRE(listening);
  f.server_end.opened = [&] { REQUIRE(accepted.back()->send(as_bytes("behind the ticket"))); };
  auto client = make_tls_client(pki().gateway(), at_date(certificates_used));
  REQUIRE(client);

  const auto connect = [&](const tls_stream_options& options = {}) {
    listener_end end;
    end.got_bytes = [&] { f.loop->stop(); };
    end.closed = [&] { f.loop->stop(); };
    accepted.clear();
    const auto stream = tls_stream::connect(*f.loop, *client, {"127.0.0.1", (*listening)->local().port}, end, options);
    f.run();
    return end.log;
  };
  CHECK(connect() == "open(relay.test) ");
  CHECK(connect() == "open(relay.test, resumed) ");
  CHECK(accepted.size() == 1);
  CHECK(connect({.resumption = tls_resumption::off}) == "open(relay.test) ");
  for (std::uint8_t i = 0; i < ticket_keys_max; ++i) keys->turn(certificates_used, {static_cast<std::uint8_t>(50 + i)});
  CHECK(connect() == "open(relay.test) ");
  CHECK(accepted.size() == 2);
  CHECK(connect() == "open(relay.test, resumed) ");
  accepted.clear();
}

}  // namespace tomoshibi
