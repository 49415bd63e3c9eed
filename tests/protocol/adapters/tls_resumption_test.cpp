// Goal: a resumed connection knows the same peer as the full handshake before it; whatever speaks against the ticket leads to
// a full handshake or to a refusal, never to somebody else's name (docs/adr/0010).
#include "protocol/adapters/tls_engine.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>

namespace tomoshibi {
namespace {

using namespace testing;

const test_pki& pki() {
  static const test_pki made;
  return made;
}

ticket_key::secret_bytes secret(std::uint8_t fill) {
  ticket_key::secret_bytes out{};
  out.fill(fill);
  return out;
}

// A relay whose clock the test moves.
struct relay {
  explicit relay(const tls_identity& who = pki().server()) : keys(std::make_shared<ticket_keys>()) {
    keys->turn(now, secret(1));
    restart(who);
  }
  void restart(const tls_identity& who = pki().server()) { context = make_tls_server(who, date(), keys).value(); }
  tls_date_source date() const {
    return [this] { return clock_known ? std::optional{now} : std::nullopt; };
  }
  wall_at now = certificates_used;
  bool clock_known = true;
  std::shared_ptr<ticket_keys> keys;
  tls_context_ptr context;
};

struct box {
  explicit box(const char* name = "box-1", wall_at until = certificates_until)
      : context(make_tls_client(pki().gateway(name, certificates_from, until), {}).value()) {}
  tls_context_ptr context;
};

struct meeting {
  tls_engine client;
  tls_engine server;
  bool good = false;
  bool dialled_twice = false;
  std::string said_by_relay;
};

bool exchange(tls_engine& client, tls_engine& server, std::string& failure) {
  for (bool moved = true; moved;) {
    const bytes up = client.take_output();
    if (const auto fed = server.feed(up); !fed) failure = fed.error().detail;
    const bytes down = server.take_output();
    (void)client.feed(down);
    moved = !up.empty() || !down.empty();
  }
  return client.open() && server.open();
}

// As tls_stream does it: a second connection if the ticket was not taken.
meeting meet(box& who, relay& with, const std::string& name = "relay.test", tls_resumption how = tls_resumption::on) {
  meeting m{tls_engine::start(who.context, name, how).value(), tls_engine::start(with.context).value(), false, false, {}};
  m.good = exchange(m.client, m.server, m.said_by_relay);
  if (!m.client.refused_ticket()) return m;
  m.dialled_twice = true;
  m.client = tls_engine::start(who.context, name).value();
  m.server = tls_engine::start(with.context).value();
  m.good = exchange(m.client, m.server, m.said_by_relay);
  return m;
}

void check_resumed(const meeting& m, const char* name = "box-1") {
  REQUIRE(m.good);
  CHECK(m.server.peer().resumed);
  CHECK(m.client.peer().resumed);
  CHECK_FALSE(m.dialled_twice);
  CHECK(m.server.peer().common_name == name);
  CHECK(m.client.peer().common_name == "relay.test");
}

void check_full(const meeting& m, bool ticket_refused) {
  REQUIRE(m.good);
  CHECK_FALSE(m.server.peer().resumed);
  CHECK_FALSE(m.client.peer().resumed);
  CHECK(m.dialled_twice == ticket_refused);
  CHECK(m.server.peer().common_name == "box-1");
}

}  // namespace

TEST_CASE("the second connection is a resumed one, of the same peer, and so is the tenth") {
  relay r;
  box b;
  const meeting first = meet(b, r);
  check_full(first, false);
  for (int i = 0; i < 9; ++i) {
    CAPTURE(i);
    meeting next = meet(b, r);
    check_resumed(next);
    CHECK(next.server.peer().sha256 == first.server.peer().sha256);
    CHECK(next.server.peer().not_before == certificates_from);
    CHECK(next.server.peer().not_after == certificates_until);
    CHECK(next.client.peer().sha256 == first.client.peer().sha256);

    const bytes large(20'000, 0x5a);
    REQUIRE(next.client.write(large));
    REQUIRE(next.server.feed(next.client.take_output()));
    CHECK(next.server.take_plain() == large);
    REQUIRE(next.server.write(large));
    REQUIRE(next.client.feed(next.server.take_output()));
    CHECK(next.client.take_plain() == large);
  }
}

TEST_CASE("gateways are not taken for one another, however their handshakes are mixed") {
  relay r;
  box one{"box-1"}, two{"box-2"};
  (void)meet(one, r);
  (void)meet(two, r);
  auto client_one = tls_engine::start(one.context, "relay.test").value();
  auto client_two = tls_engine::start(two.context, "relay.test").value();
  auto server_one = tls_engine::start(r.context).value();
  auto server_two = tls_engine::start(r.context).value();
  const bytes hello_one = client_one.take_output();
  const bytes hello_two = client_two.take_output();
  for (std::size_t i = 0; i < std::max(hello_one.size(), hello_two.size()); ++i) {
    if (i < hello_one.size()) REQUIRE(server_one.feed(byte_view{hello_one}.subspan(i, 1)));
    if (i < hello_two.size()) REQUIRE(server_two.feed(byte_view{hello_two}.subspan(i, 1)));
  }
  std::string failure;
  REQUIRE(exchange(client_two, server_two, failure));
  REQUIRE(exchange(client_one, server_one, failure));
  CHECK(server_one.peer().resumed);
  CHECK(server_one.peer().common_name == "box-1");
  CHECK(server_two.peer().resumed);
  CHECK(server_two.peer().common_name == "box-2");
}

TEST_CASE("tickets outlive a restart of the relay and a turn of its keys") {
  relay r;
  box b;
  (void)meet(b, r);
  r.restart();
  check_resumed(meet(b, r));
  r.keys->turn(r.now += 24h, secret(2));
  check_resumed(meet(b, r));
  r.restart();
  check_resumed(meet(b, r));
}

TEST_CASE("a ticket that cannot be read or is too old costs one more connection and is not offered again") {
  relay r;
  box b;
  (void)meet(b, r);
  SECTION("the relay has lost its keys") {
    for (std::uint8_t i = 0; i < ticket_keys_max; ++i) r.keys->turn(r.now, secret(100 + i));
  }
  SECTION("another relay, of the same name and provider") {
    *r.keys = {};
    r.keys->turn(r.now, secret(50));
  }
  SECTION("the relay has a new certificate") {
    const auto renewed = issue_server(pki().ca(), {.name = "relay.test", .dns_names = {"relay.test"}, .ip_addresses = {},
                                                   .valid = {certificates_from, certificates_until}});
    REQUIRE(renewed);
    r.restart({renewed->certificate_pem, renewed->key_pem, pki().ca().certificate_pem});
  }
  SECTION("too old") { r.now += 48h + 1ms; }
  SECTION("from the future: the relay's clock was put back") { r.now -= 24h; }
  check_full(meet(b, r), true);
  check_resumed(meet(b, r));
}

TEST_CASE("a certificate must be shown anew after a week of tickets") {
  relay r;
  box b;
  (void)meet(b, r);
  for (int day = 1; day <= 7; ++day) {
    CAPTURE(day);
    r.keys->turn(r.now += 24h, secret(static_cast<std::uint8_t>(day)));
    check_resumed(meet(b, r));
  }
  r.now += 1h;
  check_full(meet(b, r), true);
}

TEST_CASE("an expired certificate is not saved by a ticket") {
  relay r;
  box b{"box-1", certificates_used + 1h};
  (void)meet(b, r);
  check_resumed(meet(b, r));
  r.now += 1h + 1s;
  const meeting late = meet(b, r);
  CHECK_FALSE(late.good);
  CHECK(late.said_by_relay.find("expired") != std::string::npos);
}

TEST_CASE("a client does not resume with a relay whose certificate has expired by its own clock") {
  relay r;
  wall_at now = certificates_used;
  box b;
  b.context = make_tls_client(pki().gateway(), [&now] { return now; }).value();
  (void)meet(b, r);
  now = certificates_until + 1s;
  auto client = tls_engine::start(b.context, "relay.test").value();
  auto server = tls_engine::start(r.context).value();
  std::string failure;
  CHECK_FALSE(exchange(client, server, failure));
  CHECK_FALSE(client.refused_ticket());
}

TEST_CASE("a changed ticket, or a changed hello around it, is refused") {
  relay r;
  box b;
  (void)meet(b, r);
  std::size_t size = 0;
  for (std::size_t at = 0; at == 0 || at < size; at += 13) {
    CAPTURE(at);
    box again;
    (void)meet(again, r);
    auto client = tls_engine::start(again.context, "relay.test").value();
    auto server = tls_engine::start(r.context).value();
    bytes hello = client.take_output();
    size = hello.size();
    hello[at] ^= 1;
    (void)server.feed(hello);
    (void)client.feed(server.take_output());
    (void)server.feed(client.take_output());
    CHECK_FALSE(server.open());
  }
}

TEST_CASE("a ticket is for one server name") {
  relay r;
  box b;
  (void)meet(b, r);
  check_full(meet(b, r, "127.0.0.1"), false);
  check_resumed(meet(b, r, "relay.test"));
}

TEST_CASE("who wants to show the certificate may") {
  relay r;
  box b;
  (void)meet(b, r);
  check_full(meet(b, r, "relay.test", tls_resumption::off), false);
  check_resumed(meet(b, r));
}

TEST_CASE("without keys, without a clock, or without tickets everything is a full handshake") {
  relay r;
  box b;
  SECTION("no keys") { *r.keys = {}; }
  SECTION("no clock") { r.clock_known = false; }
  SECTION("a server without tickets") { r.context = make_tls_server(pki().server(), r.date()).value(); }
  SECTION("a client that takes none") {
    b.context = make_tls_client(pki().gateway(), {}, tls_resumption::off).value();
  }
  check_full(meet(b, r), false);
  const meeting second = meet(b, r);
  check_full(second, second.dialled_twice);
}

TEST_CASE("many names do not grow a client without bound") {
  relay r;
  box b;
  for (int i = 0; i < 20; ++i) {
    (void)meet(b, r, i % 2 == 0 ? "relay.test" : "127.0.0.1");
    (void)meet(b, r, "::1");
  }
  check_resumed(meet(b, r));
}

}  // namespace tomoshibi
