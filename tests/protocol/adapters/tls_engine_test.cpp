#include "protocol/adapters/tls_engine.hpp"
#include "protocol/adapters/pki.hpp"
#include "protocol/base/prng.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <optional>
#include <sys/stat.h>
#include <thread>
#include <vector>

namespace tomoshibi {
namespace {

using namespace testing;

const test_pki& pki() {
  static const test_pki made;
  return made;
}

struct side {
  tls_engine engine;
  std::string failure;   // of the last feed
  bytes heard;
};

tls_context_ptr server_context(tls_date_source date = at_date(certificates_used)) {
  auto made = make_tls_server(pki().server(), std::move(date));
  REQUIRE(made);
  return *made;
}
tls_context_ptr client_context(const tls_identity& identity, tls_date_source date = at_date(certificates_used)) {
  auto made = make_tls_client(identity, std::move(date));
  REQUIRE(made);
  return *made;
}

side start(tls_context_ptr context, const std::string& name = {}) {
  auto engine = tls_engine::start(std::move(context), name);
  REQUIRE(engine);
  return {std::move(*engine), {}, {}};
}

// Moves what one side has to say to the other, in pieces of `piece` bytes. False: there was nothing.
bool move_bytes(side& from, side& to, std::size_t piece) {
  const bytes said = from.engine.take_output();
  for (std::size_t i = 0; i < said.size(); i += piece) {
    const auto fed = to.engine.feed(byte_view{said}.subspan(i, std::min(piece, said.size() - i)));
    if (!fed) to.failure = fed.error().detail;
  }
  put_bytes(to.heard, to.engine.take_plain());
  return !said.empty();
}

void talk(side& a, side& b, std::size_t piece = 100'000) {
  for (bool moved = true; moved;) {
    moved = move_bytes(a, b, piece);
    moved = move_bytes(b, a, piece) || moved;
  }
}

}  // namespace

// Goal: both ends know each other by certificate, and bytes pass both ways, however the stream is cut.
TEST_CASE("client and server meet") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    CAPTURE(piece);
    side server = start(server_context());
    side client = start(client_context(pki().gateway("box-7")), "relay.test");
    talk(client, server, piece);
    REQUIRE(client.engine.open());
    REQUIRE(server.engine.open());
    CHECK(server.engine.peer().common_name == "box-7");
    CHECK(server.engine.peer().sha256.size() == 64);
    CHECK(server.engine.peer().not_before == certificates_from);
    CHECK(server.engine.peer().not_after == certificates_until);
    CHECK(client.engine.peer().common_name == "relay.test");

    const bytes large(40'000, 0x5a);
    REQUIRE(client.engine.write(large));
    REQUIRE(server.engine.write(as_bytes("hello")));
    talk(client, server, piece);
    CHECK(server.heard == large);
    CHECK(as_text(client.heard) == "hello");

    client.engine.close();
    talk(client, server, piece);
    CHECK(server.engine.closed());
    CHECK(server.failure.empty());
  }
}

// Goal: the fingerprint that the server sees is the one that the authority wrote down when it issued the certificate.
TEST_CASE("fingerprints agree") {
  const auto issued = issue_gateway(pki().ca(), *gateway_id::parse("box-9"), {certificates_from, certificates_until});
  REQUIRE(issued);
  side server = start(server_context());
  side client = start(client_context({issued->certificate_pem, issued->key_pem, pki().ca().certificate_pem}), "127.0.0.1");
  talk(client, server);
  REQUIRE(server.engine.open());
  CHECK(server.engine.peer().sha256 == issued->sha256);
}

// Goal: a server is believed only under a name or address in its certificate.
TEST_CASE("the server's name counts") {
  const std::pair<const char*, bool> names[] = {{"relay.test", true}, {"127.0.0.1", true},  {"::1", true},
                                                {"other.test", false}, {"127.0.0.2", false}, {"test", false}};
  for (const auto& [name, good] : names) {
    CAPTURE(name);
    side server = start(server_context());
    side client = start(client_context(pki().gateway()), name);
    talk(client, server);
    CHECK(client.engine.open() == good);
    CHECK(client.failure.empty() == good);
    if (!good) CHECK(client.failure.find("certificate refused") != std::string::npos);
    if (!good) CHECK_FALSE(server.engine.open());
  }
  CHECK_FALSE(tls_engine::start(client_context(pki().gateway()), ""));
}

// Goal: certificates of another authority are refused, on both sides, and the refused one learns why.
TEST_CASE("another authority is not believed") {
  const test_pki other;
  SECTION("client of another authority") {
    tls_identity stranger = other.gateway();
    stranger.ca_pem = pki().ca().certificate_pem;
    side server = start(server_context());
    side client = start(client_context(stranger), "relay.test");
    talk(client, server);
    CHECK_FALSE(server.engine.open());
    CHECK(server.failure.find("not correctly signed by the trusted CA") != std::string::npos);
    CHECK_FALSE(client.failure.empty());
  }
  SECTION("server of another authority") {
    side server = start(server_context());
    side client = start(client_context(other.gateway()), "relay.test");
    talk(client, server);
    CHECK_FALSE(client.engine.open());
    CHECK_FALSE(server.engine.open());
    CHECK(client.failure.find("certificate refused") != std::string::npos);
  }
}

// Goal: a certificate is good for its own side only: a gateway cannot play the relay.
TEST_CASE("a gateway's certificate does not make a server") {
  auto context = make_tls_server(pki().gateway("relay"), at_date(certificates_used));
  REQUIRE(context);
  side server = start(*context);
  side client = start(client_context(pki().gateway()), "relay");
  talk(client, server);
  CHECK_FALSE(client.engine.open());
  CHECK_FALSE(client.failure.empty());
}

// Goal: dates are judged by the caller's clock to the second, and not at all when no clock is known.
TEST_CASE("certificate dates") {
  const wall_at from = certificates_from;
  const wall_at until = certificates_from + 24h;
  const tls_identity gateway = pki().gateway("box-1", from, until);
  const std::pair<std::optional<wall_at>, bool> cases[] = {{from, true},      {from - 1s, false}, {until, true},
                                                           {until + 1s, false}, {std::nullopt, true}};
  for (const auto& [now, good] : cases) {
    CAPTURE(good, now.has_value());
    side server = start(server_context([now] { return now; }));
    side client = start(client_context(gateway), "relay.test");
    talk(client, server);
    CHECK(server.engine.open() == good);
    if (!good) CHECK(server.failure.find("certificate") != std::string::npos);
  }
}

// Goal: TLS 1.2 and older are refused. A well-formed ClientHello of TLS 1.2 (RFC 5246, 7.4.1.2).
TEST_CASE("TLS 1.2 is refused") {
  bytes hello = *from_hex("1603010039" "01000035" "0303");
  hello.insert(hello.end(), 32, 0x11);                 // random
  put_bytes(hello, *from_hex("00" "0004c02bc02f" "0100"));             // no session, two suites, no compression
  put_bytes(hello, *from_hex("0008" "000a" "0004" "0002" "0017"));    // extension supported_groups: secp256r1
  side server = start(server_context());
  const auto fed = server.engine.feed(hello);
  REQUIRE_FALSE(fed);
  CHECK(fed.error().code == errc::tls_failed);
  CHECK(fed.error().detail.find("protocol") != std::string::npos);
  CHECK(to_hex(server.engine.take_output()) == "15030300020246");  // fatal alert 70: protocol_version
}

// Goal: whatever a stranger sends ends in one clear error, not in a hang or a crash, and stays ended.
TEST_CASE("garbage ends the engine") {
  const std::uint64_t seed = 7;
  CAPTURE(seed);
  prng random{seed};
  for (int round = 0; round < 200; ++round) {
    side server = start(server_context());
    bytes garbage(1 + random.below(600));
    for (auto& b : garbage) b = static_cast<std::uint8_t>(random.next());
    // Half of the rounds begin like a handshake record, so that the garbage gets further in.
    if (round % 2 == 0) {
      const bytes head = *from_hex("1603010200010001fc0303");
      garbage.insert(garbage.begin(), head.begin(), head.end());
      garbage.resize(600);
    }
    const auto fed = server.engine.feed(garbage);
    CHECK_FALSE(server.engine.open());
    if (!fed) CHECK_FALSE(server.engine.feed(garbage));
  }
}

// Goal: any single changed byte of the conversation is noticed; none is taken for data.
TEST_CASE("a changed byte is noticed") {
  const std::uint64_t seed = 11;
  CAPTURE(seed);
  prng random{seed};
  for (int round = 0; round < 60; ++round) {
    side server = start(server_context());
    side client = start(client_context(pki().gateway()), "relay.test");
    talk(client, server);
    REQUIRE(server.engine.open());
    REQUIRE(client.engine.write(as_bytes("the whole truth")));
    bytes cipher = client.engine.take_output();
    cipher[random.below(cipher.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    (void)server.engine.feed(cipher);
    CHECK(server.engine.take_plain().empty());
  }
}

// Goal: bytes pass only while the connection is open; after close() nothing more is said.
TEST_CASE("writing outside of an open connection fails") {
  side server = start(server_context());
  side client = start(client_context(pki().gateway()), "relay.test");
  CHECK_FALSE(client.engine.write(as_bytes("early")));
  talk(client, server);
  client.engine.close();
  CHECK_FALSE(client.engine.write(as_bytes("late")));
  REQUIRE(server.engine.write(as_bytes("still heard")));
  talk(client, server);
  CHECK(as_text(client.heard) == "still heard");
}

// Goal: files and keys that cannot be used are told apart at the start, by name.
TEST_CASE("unusable identities are refused") {
  tls_identity wrong_key = pki().gateway("box-1");
  wrong_key.key_pem = pki().gateway("box-2").key_pem;
  const auto mismatch = make_tls_client(wrong_key, {});
  REQUIRE_FALSE(mismatch);
  CHECK(mismatch.error().code == errc::config_invalid);
  CHECK(mismatch.error().detail.find("does not belong") != std::string::npos);

  tls_identity no_certificate = pki().gateway("box-1");
  no_certificate.certificate_pem = "nothing here";
  CHECK_FALSE(make_tls_client(no_certificate, {}));

  const temporary_folder folder;
  const std::string key = folder.file("key"), certificate = folder.file("certificate");
  const tls_identity box = pki().gateway("box-1");
  REQUIRE(write_secret_file(key, box.key_pem));
  REQUIRE(write_public_file(certificate, box.certificate_pem));
  for (const auto& [mode, allowed] : {std::pair<mode_t, bool>{0400, true}, {0600, true}, {0640, true}, {0440, true},
                                      {0644, false}, {0604, false}, {0660, false}, {0602, false}, {0601, false}}) {
    CAPTURE(mode);
    REQUIRE(::chmod(key.c_str(), mode) == 0);
    const auto loaded = load_tls_identity({.certificate = certificate, .key = key, .ca = certificate});
    REQUIRE(loaded.has_value() == allowed);
    if (allowed) continue;
    CHECK(loaded.error().code == errc::config_invalid);
    CHECK(loaded.error().detail.find(key) != std::string::npos);
  }

  // What is in them is looked at too; the key of the configuration is told where there is one.
  const std::string other_key = folder.file("other"), text = folder.file("text");
  REQUIRE(write_secret_file(other_key, pki().gateway("box-1").key_pem));
  REQUIRE(write_secret_file(text, "nothing here\n"));
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  const auto refused = [](const tls_identity_files& files) {
    const auto loaded = load_tls_identity(files);
    return loaded ? std::string{} : loaded.error().detail;
  };
  using Catch::Matchers::StartsWith;
  CHECK_THAT(refused({.certificate = certificate, .key = other_key, .ca = certificate, .table = "relay"}),
             StartsWith("relay.key: " + other_key + ": must be the private key of the certificate " + certificate));
  CHECK_THAT(refused({.certificate = certificate, .key = certificate, .ca = certificate}),
             StartsWith(certificate + ": must be a private key"));
  CHECK_THAT(refused({.certificate = certificate, .key = text, .ca = certificate}), StartsWith(text + ": must be a private key"));
  CHECK_THAT(refused({.certificate = text, .key = key, .ca = certificate}), StartsWith(text + ": must be a certificate"));
  CHECK_THAT(refused({.certificate = certificate, .key = key, .ca = text, .table = "guard"}),
             StartsWith("guard.ca: " + text + ": must be a certificate"));
  CHECK_THAT(refused({.certificate = certificate, .key = key, .ca = folder.path()}), StartsWith(folder.path() + ": Is a directory"));
  CHECK(refused({.certificate = {}, .key = {}, .ca = certificate}).empty());

  const auto missing = load_tls_identity({.certificate = "/nonexistent/a.crt", .key = "", .ca = ""});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().detail.find("/nonexistent/a.crt") != std::string::npos);
}

// What contexts of several threads share inside Mbed TLS (key slots, the random generator) is locked: the relay has its
// device channel on one thread and its emergency part on another. Without the locks it is ThreadSanitizer that fails here.
TEST_CASE("threads with contexts of their own do not disturb each other") {
  constexpr int rounds = 40;
  std::atomic<int> met{0};
  std::vector<std::thread> threads;
  const tls_identity server = pki().server(), client = pki().gateway("box-1");
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      const auto at_server = make_tls_server(server, at_date(certificates_used));
      const auto at_client = make_tls_client(client, at_date(certificates_used), tls_resumption::off);
      for (int i = 0; at_server && at_client && i < rounds; ++i) {
        auto a = tls_engine::start(*at_client, "relay.test");
        auto b = tls_engine::start(*at_server);
        if (!a || !b) return;
        side one{std::move(*a), {}, {}}, other{std::move(*b), {}, {}};
        talk(one, other);
        if (!one.engine.open() || !other.engine.open() || !one.engine.write(as_bytes("hello"))) return;
        talk(one, other);
        if (other.heard.size() == 5) ++met;
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(met == 3 * rounds);
}

}  // namespace tomoshibi
