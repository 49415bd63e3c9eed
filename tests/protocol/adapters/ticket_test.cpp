// Goal: a ticket is believed only by the relay that wrote it, only in its time, and says truly who holds it; nothing a
// stranger changes in it is taken for anything.
#include "protocol/adapters/ticket_seal.hpp"
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi {
namespace {

constexpr wall_at start = wall_from_ms(1'893'456'000'000);   // 2030-01-01
constexpr ticket_seal::binding bound{1, 2, 3};

ticket_key::secret_bytes secret(std::uint8_t fill) {
  ticket_key::secret_bytes out{};
  out.fill(fill);
  return out;
}

ticket_content content() {
  return {.peer = {.common_name = "box-1", .sha256 = std::string(64, 'a'), .not_before = start - 24h, .not_after = start + 24h * 365},
          .proved = start,
          .issued = start + 1h,
          .session = {1, 2, 3, 4}};
}

struct relay {
  explicit relay(std::uint8_t fill = 7, ticket_seal::binding to = bound) : keys(std::make_shared<ticket_keys>()), seal(keys, to) {
    keys->turn(start, secret(fill));
  }
  std::shared_ptr<ticket_keys> keys;
  ticket_seal seal;
};

}  // namespace

TEST_CASE("a ticket says what was put into it") {
  relay r;
  for (const std::size_t name : {0U, 1U, 5U, 64U, 255U}) {
    CAPTURE(name);
    ticket_content in = content();
    in.peer.common_name.assign(name, 'x');
    const auto sealed = r.seal.seal(in);
    REQUIRE(sealed);
    const auto out = r.seal.open(*sealed);
    REQUIRE(out);
    CHECK(out->peer.common_name == in.peer.common_name);
    CHECK(out->peer.sha256 == in.peer.sha256);
    CHECK(out->peer.not_before == in.peer.not_before);
    CHECK(out->peer.not_after == in.peer.not_after);
    CHECK(out->proved == in.proved);
    CHECK(out->issued == in.issued);
    CHECK(out->session == in.session);
    CHECK(r.seal.seal(in).value() != *sealed);   // a nonce is never used twice
  }
  ticket_content long_name = content();
  long_name.peer.common_name.assign(256, 'x');
  CHECK_FALSE(r.seal.seal(long_name));
}

TEST_CASE("no changed byte, no other length") {
  relay r;
  const bytes sealed = r.seal.seal(content()).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    CAPTURE(i);
    bytes changed = sealed;
    changed[i] ^= 0x40;
    CHECK_FALSE(r.seal.open(changed));
    CHECK_FALSE(r.seal.open(byte_view{sealed}.first(i)));
  }
  bytes longer = sealed;
  longer.push_back(0);
  CHECK_FALSE(r.seal.open(longer));
}

TEST_CASE("another relay's ticket, another certificate's, and one of a key that is gone") {
  relay r;
  const bytes sealed = r.seal.seal(content()).value();
  CHECK(r.seal.open(sealed));
  CHECK_FALSE(relay{8}.seal.open(sealed));
  CHECK_FALSE(relay(7, {9}).seal.open(sealed));
  CHECK(relay{7}.seal.open(sealed));               // the same relay after a restart

  for (std::uint8_t turn = 1; turn < ticket_keys_max; ++turn) {
    r.keys->turn(start + turn * ticket_key_turn, secret(turn));
    CHECK(r.seal.open(sealed));
    CHECK(r.seal.open(r.seal.seal(content()).value()));
  }
  r.keys->turn(start + ticket_keys_max * ticket_key_turn, secret(100));
  CHECK_FALSE(r.seal.open(sealed));

  ticket_seal empty{std::make_shared<ticket_keys>(), bound};
  CHECK_FALSE(empty.seal(content()));
  CHECK_FALSE(empty.open(sealed));
}

TEST_CASE("a ticket, its proof and the certificate behind it have their time") {
  const ticket_content t = content();
  CHECK(usable(t, t.issued));
  CHECK(usable(t, t.issued + ticket_life));
  CHECK_FALSE(usable(t, t.issued + ticket_life + 1ms));
  CHECK(usable(t, t.issued - ticket_clock_slack));
  CHECK_FALSE(usable(t, t.issued - ticket_clock_slack - 1ms));

  ticket_content renewed = content();
  renewed.issued = renewed.proved + proof_life;
  CHECK(usable(renewed, renewed.issued));
  CHECK_FALSE(usable(renewed, renewed.issued + 1ms));

  ticket_content ending = content();
  ending.peer.not_after = ending.issued + 1min;
  CHECK(usable(ending, ending.peer.not_after));
  CHECK_FALSE(usable(ending, ending.peer.not_after + 1ms));
  ending.peer.not_before = ending.issued + 30s;
  CHECK_FALSE(usable(ending, ending.issued));

  // No difference of times overflows.
  for (const wall_at end : {wall_at::min(), wall_at::max()}) {
    ticket_content issued = content();
    issued.issued = end;
    CHECK_FALSE(usable(issued, start));
    ticket_content proved = content();
    proved.proved = end;
    CHECK_FALSE(usable(proved, start));
  }
}

TEST_CASE("keys turn by the day and outlive the tickets they have sealed") {
  ticket_keys keys;
  CHECK(keys.due(start));
  keys.turn(start, secret(1));
  CHECK_FALSE(keys.due(start));
  CHECK_FALSE(keys.due(start + ticket_key_turn - 1ms));
  CHECK(keys.due(start + ticket_key_turn));
  // Sealed in the last moment of a key, opened in the last moment of the ticket: the key is still there.
  CHECK((ticket_keys_max - 1) * ticket_key_turn >= ticket_life);

  // A clock that was years ahead does not leave a key behind that is never due.
  keys.turn(start + 24h * 4000, secret(2));
  CHECK(keys.due(start + 1h));
  keys.turn(start + 1h, secret(3));
  REQUIRE(keys.newest_first().size() == 2);
  CHECK(keys.newest_first()[0].secret == secret(3));
  CHECK(keys.newest_first()[1].secret == secret(1));
}

TEST_CASE("the text of the keys comes back, and nothing else is taken for it") {
  ticket_keys keys;
  for (std::uint8_t i = 0; i < 5; ++i) keys.turn(start + i * 24h, secret(i));
  const auto again = ticket_keys::parse(keys.text());
  REQUIRE(again);
  REQUIRE(again->newest_first().size() == ticket_keys_max);
  CHECK(again->text() == keys.text());
  CHECK(ticket_keys::parse("")->newest_first().empty());

  const std::string good = keys.text().substr(0, keys.text().find('\n') + 1);
  const std::string bad[] = {"x", "1 ", " ", "\n", good + "\n", "-1" + good.substr(good.find(' ')), "1x" + good.substr(good.find(' ')),
                             good.substr(0, good.size() - 2) + "\n", good.substr(0, good.size() - 2) + "g\n",
                             good + good + good + good};
  for (const std::string& text : bad) {
    CAPTURE(text);
    const auto read = ticket_keys::parse(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::storage_corrupt);
  }
}

}  // namespace tomoshibi
