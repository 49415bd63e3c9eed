// Goal: each connection's life is told exactly once and in order; limits hold; nothing calls back from inside a call.
#include "relay/shell/device_channel.hpp"

#include "tests/support/drive.hpp"
#include "tests/support/plain_socket.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>
#include <list>
#include <string>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::testing;

namespace {

const test_pki& pki() {
  static const test_pki made;
  return made;
}

struct box final : tls_stream_events {
  box(event_loop& loop, std::uint16_t port, const tls_stream_options& options = {}) {
    auto context = make_tls_client(pki().gateway(), at_date(certificates_used)).value();
    stream = tls_stream::connect(loop, context, {"127.0.0.1", port}, *this, options);
  }
  void on_open(const tls_peer&) override { open = true; }
  void on_bytes(byte_view plain) override { heard += as_text(plain); }
  void on_closed(const error&) override { closed = true; }
  bool open = false;
  bool closed = false;
  std::string heard;
  std::unique_ptr<tls_stream> stream;
};

struct fixture : device_channel_receiver {
  explicit fixture(device_channel_limits limits = {}) : channel(*loop, *this, null_log(), limits) { listen(); }
  void listen() {
    const auto at = channel.local().port == 0 ? endpoint{"127.0.0.1", 0} : channel.local();
    REQUIRE(channel.listen(make_tls_server(pki().server(), at_date(certificates_used)).value(), at));
  }
  void on_session_open(session_id id, const peer& who) override {
    CHECK_FALSE(inside_call);
    told += "open(" + who.subject_cn + ") ";
    CHECK(who.certificate_sha256.size() == 64);
    last = id;
  }
  void on_session_bytes(session_id, byte_view data) override { told += "bytes(" + std::string{as_text(data)} + ") "; }
  void on_session_closed(session_id) override {
    CHECK_FALSE(inside_call);
    told += "closed ";
  }
  std::uint16_t port() const { return channel.local().port; }

  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::string told;
  session_id last{};
  bool inside_call = false;
  device_channel channel;
};

}  // namespace

TEST_CASE("a gateway comes, speaks, is answered and goes") {
  fixture f;
  box gateway(*f.loop, f.port());
  REQUIRE(drive(*f.loop, [&] { return gateway.open && !f.told.empty(); }));
  REQUIRE(gateway.stream->send(as_bytes("hello")));
  REQUIRE(drive(*f.loop, [&] { return f.told == "open(box-1) bytes(hello) "; }));
  f.channel.send(f.last, as_bytes("welcome"));
  REQUIRE(drive(*f.loop, [&] { return gateway.heard == "welcome"; }));
  gateway.stream->close();
  REQUIRE(drive(*f.loop, [&] { return f.told == "open(box-1) bytes(hello) closed "; }));
  CHECK(f.channel.connections() == 0);
}

TEST_CASE("a session closed by us is not told again, and what was sent before still arrives") {
  fixture f;
  box gateway(*f.loop, f.port());
  REQUIRE(drive(*f.loop, [&] { return gateway.open && !f.told.empty(); }));
  f.inside_call = true;
  f.channel.send(f.last, as_bytes("bye"));
  f.channel.close(f.last);
  f.inside_call = false;
  REQUIRE(drive(*f.loop, [&] { return gateway.closed && f.channel.connections() == 0; }));
  CHECK(gateway.heard == "bye");
  CHECK(f.told == "open(box-1) ");
  f.channel.send(f.last, as_bytes("too late"));  // unknown by now: ignored
  f.channel.close(f.last);
}

TEST_CASE("garbage never becomes a session") {
  fixture f;
  auto stranger = plain_socket::tcp(f.port());
  stranger.write("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(drive(*f.loop, [&] { return stranger.ended(); }));
  REQUIRE(drive(*f.loop, [&] { return f.channel.connections() == 0; }));
  CHECK(f.told.empty());
  CHECK(f.channel.counts().handshakes_failed == 1);
}

TEST_CASE("silence ends after the handshake's time") {
  fixture f({.handshake_timeout = millis{0}});
  auto silent = plain_socket::tcp(f.port());
  REQUIRE(drive(*f.loop, [&] { return silent.ended(); }));
  CHECK(drive(*f.loop, [&] { return f.channel.counts().handshakes_failed == 1; }));
}

TEST_CASE("connections over the limit are dropped as they come") {
  fixture f({.connections_max = 2});
  std::list<plain_socket> held;
  for (int i = 0; i < 2; ++i) held.emplace_back(plain_socket::tcp(f.port()));
  REQUIRE(drive(*f.loop, [&] { return f.channel.connections() == 2; }));
  auto third = plain_socket::tcp(f.port());
  REQUIRE(drive(*f.loop, [&] { return third.ended(); }));
  CHECK(f.channel.counts().over_limit == 1);
  CHECK(f.channel.connections() == 2);
}

TEST_CASE("an IPv6 customer is one source, each IPv4 address its own, written either way") {
  CHECK(source_of("192.0.2.1") == "192.0.2.1");
  CHECK(source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff::9"));
  CHECK(source_of("2001:db8:1:2::1") != source_of("2001:db8:1:3::1"));
  CHECK(source_of("::ffff:192.0.2.1") != source_of("::ffff:192.0.2.2"));
  CHECK(source_of("::1") == source_of("::2"));
}

TEST_CASE("one address holds only so many unfinished handshakes, and shuts nobody else out") {
  fixture f({.handshakes_per_address_max = 4});
  std::list<plain_socket> silent;
  for (int i = 0; i < 10; ++i) silent.emplace_back(plain_socket::tcp(f.port(), "127.0.0.2"));
  REQUIRE(drive(*f.loop, [&] { return f.channel.counts().over_limit == 6; }));
  CHECK(f.channel.connections() == 4);
  std::list<box> gateways;
  for (int i = 0; i < 6; ++i) {  // of another address, and finished ones do not count
    auto& gateway = gateways.emplace_back(*f.loop, f.port());
    REQUIRE(drive(*f.loop, [&] { return gateway.open; }));
  }
  silent.clear();
  REQUIRE(drive(*f.loop, [&] { return f.channel.connections() == 6; }));
  auto again = plain_socket::tcp(f.port(), "127.0.0.2");
  REQUIRE(drive(*f.loop, [&] { return f.channel.connections() == 7; }));
  CHECK(f.channel.counts().over_limit == 6);
}

TEST_CASE("a gateway that does not read is dropped and told as closed, outside of the call that found out") {
  fixture f({.session_queue_max = 4096});
  box gateway(*f.loop, f.port());
  REQUIRE(drive(*f.loop, [&] { return gateway.open && !f.told.empty(); }));
  f.inside_call = true;
  f.channel.send(f.last, as_bytes(std::string(5000, 'x')));  // more than may ever wait
  f.inside_call = false;
  REQUIRE(drive(*f.loop, [&] { return f.told == "open(box-1) closed "; }));
  CHECK(f.channel.counts().slow_dropped == 1);
  CHECK(drive(*f.loop, [&] { return gateway.closed; }));
}

TEST_CASE("a new certificate keeps the port and the connections") {
  fixture f;
  box gateway(*f.loop, f.port());
  REQUIRE(drive(*f.loop, [&] { return gateway.open && !f.told.empty(); }));
  const auto before = f.port();
  f.channel.use(make_tls_server(pki().server(), at_date(certificates_used)).value());
  CHECK(f.port() == before);
  box another(*f.loop, f.port());
  REQUIRE(drive(*f.loop, [&] { return another.open && f.channel.connections() == 2; }));
  CHECK_FALSE(gateway.closed);
  f.channel.stop_listening();
  CHECK_FALSE(plain_socket::tcp(before).connected());
  CHECK(f.channel.connections() == 2);
}

TEST_CASE("the channel may go while connections stand and handshakes are under way") {
  auto f = std::make_unique<fixture>();
  auto& loop = *f->loop;
  box gateway(loop, f->port());
  REQUIRE(drive(loop, [&] { return gateway.open && !f->told.empty(); }));
  auto silent = plain_socket::tcp(f->port());
  REQUIRE(drive(loop, [&] { return f->channel.connections() == 2; }));
  f->channel.send(f->last, as_bytes(std::string(100'000, 'x')));  // leaves a handler behind
  gateway.stream.reset();
  auto kept = std::move(f->loop);
  f.reset();
  settle(*kept);
  SUCCEED();
}
