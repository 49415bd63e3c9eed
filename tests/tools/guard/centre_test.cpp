// Goal: the guard centre takes what is right and nothing else, says why, and books each event once.
#include "tests/protocol/dc09/samples.hpp"
#include "tools/guard.d/core/centre.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;
using guard::centre_output;

namespace {

const wall_at noon = at("12:00:00,01-02-2027");

struct fixture {
  explicit fixture(guard::centre_settings s = settings()) : centre(std::move(s)) { centre.on_open(1); }
  static guard::centre_settings settings() {
    guard::centre_settings s;
    s.accounts = {{"1234", "plain", nullptr}, {"ABCD", "sealed", {std::shared_ptr<void>{}, &key_of(16)}}};
    s.random = [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{5}); };
    return s;
  }
  // Everything that happens, in words; answers by their id.
  std::string feed(std::string_view data, wall_at wall = noon) {
    centre_output out;
    centre.on_bytes(now, wall, 1, as_bytes(data), out);
    return words(out);
  }
  std::string words(const centre_output& out) {
    std::string said;
    for (const auto& a : out.actions) {
      if (const auto* s = std::get_if<centre_output::send>(&a)) {
        last = s->data;
        const auto f = read_frame(s->data, &key_of(16));
        said += f ? (f->encrypted ? "*" : "") + std::string(name_of(f->id)) : "bytes";
      }
      if (std::holds_alternative<centre_output::reset>(a)) said += "reset";
      if (const auto* b = std::get_if<centre_output::booked>(&a)) said += "booked " + std::to_string(b->entry);
      if (const auto* r = std::get_if<centre_output::repeated>(&a)) said += "repeated " + std::to_string(r->entry);
      if (const auto* l = std::get_if<centre_output::linked>(&a)) said += "linked " + l->account;
      if (const auto* l = std::get_if<centre_output::lost>(&a)) said += "lost " + l->account;
      if (const auto* b = std::get_if<centre_output::back>(&a)) said += "back " + b->account;
      if (const auto* r = std::get_if<centre_output::refused>(&a)) said += "refused(" + std::string(r->why) + ")";
      said += ' ';
    }
    return said;
  }
  std::string event(frame f, wall_at wall = noon) { return feed(write_frame(f, {&key_of(16), bytes(31, 3)}).value(), wall); }
  void order(std::string_view line) { REQUIRE(centre.misbehaviour().add(guard::parse_order(line).value())); }

  guard::centre centre;
  mono_time now = mono_from_ms(0);
  std::string last;
};

frame press(std::uint16_t sequence = 1) {
  return {.id = token::adm_cid, .sequence = sequence, .receiver = "1", .line = "1", .account = "1234", .data = "#1234|1101 01 001"};
}
frame sealed(std::uint16_t sequence = 1, wall_at stamp = noon) {
  return {.id = token::adm_cid, .encrypted = true, .sequence = sequence, .receiver = "1", .line = "1", .account = "ABCD",
          .data = "#ABCD|1101 01 001", .extensions = {}, .stamp = stamp};
}

}  // namespace

TEST_CASE("an event is booked once, acknowledged as often as it comes") {
  fixture f;
  CHECK(f.event(press()) == "booked 1 ACK ");
  CHECK(f.event(press()) == "repeated 1 ACK ");
  CHECK(f.event(press(2)) == "booked 2 ACK ");
  CHECK(f.event(sealed()) == "booked 3 *ACK ");
  REQUIRE(f.centre.entries().size() == 3);
  const guard::entry& e = f.centre.entries().front();
  CHECK((e.account == "1234" && e.what == event::personal_emergency && e.zone == 1 && e.repeats == 1 && !e.test));
  CHECK(words_of(e) == "personal emergency");
  // After the window a number may come again: it has gone round.
  f.now += guard::window_default + 1ms;
  CHECK(f.event(press()) == "booked 4 ACK ");
}

TEST_CASE("one press by two paths is one entry") {
  fixture f;
  frame by_relay = press(5);
  by_relay.extensions = {{'H', "11:59:58,01-02-2027"}, {'I', "press 77"}};
  frame direct{.id = token::sia_dcs, .sequence = 900, .line = "2", .account = "1234", .data = "#1234|Nri1/QA001",
               .extensions = by_relay.extensions};
  CHECK(f.event(by_relay) == "booked 1 ACK ");
  CHECK(f.event(direct) == "repeated 1 ACK ");
  CHECK(f.centre.entries()[0].occurred == at("11:59:58,01-02-2027"));
  direct.data = "#1234|Nri1/QR001";        // its end is an event of its own
  CHECK(f.event(direct) == "booked 2 ACK ");
  CHECK(words_of(f.centre.entries()[1]) == "personal emergency: restored");
}

TEST_CASE("the time of an encrypted frame counts, and NAK tells ours") {
  fixture f;
  CHECK(f.event(sealed(1, noon - 40s)) == "booked 1 *ACK ");
  CHECK(f.event(sealed(2, noon + 20s)) == "booked 2 *ACK ");
  CHECK(f.event(sealed(3, noon - 41s)) == "refused(out of time) NAK ");
  CHECK(read_frame(f.last).value().stamp == noon);
  CHECK(f.event(sealed(3, noon + 21s)) == "refused(out of time) NAK ");
  CHECK(f.event(sealed(1, noon - 40s), noon + 24h) == "refused(out of time) NAK ");   // yesterday's frame
  frame plain = press();
  plain.stamp = noon - 1h;
  CHECK(f.event(plain) == "booked 3 ACK ");
}

TEST_CASE("damage is answered with silence") {
  fixture f;
  std::string bad = write_frame(press()).value();
  bad[20] = static_cast<char>(bad[20] ^ 1);
  CHECK(f.feed(bad) == "refused(crc) ");
  CHECK(f.feed("\n57150047\"ADM-CID\"0247R4F39L4F39#4F39[#4F39|3401 01 057]\r") == "refused(length) ");
  CHECK(f.feed("\n12\n" + std::string(frame_bytes_max, 'x')) == "refused(no_end) refused(too_long) ");
  CHECK(f.event(press()) == "booked 1 ACK ");
}

TEST_CASE("another box with the same account is refused and told") {
  fixture f;
  CHECK(f.feed(write_frame(sealed(), {&key_of(16, 9), bytes(31, 3)}).value()).starts_with("refused("));
  CHECK(read_frame(f.last).value().id == token::nak);
  frame plain = press();
  plain.account = "ABCD";
  plain.data = "#ABCD|1101 01 001";
  CHECK(f.event(plain) == "refused(not_encrypted) NAK ");
  frame inside = sealed();
  inside.data = "#1234|1101 01 001";
  CHECK(f.event(inside) == "refused(foreign_account) NAK ");
  frame keyless = sealed();
  keyless.account = "1234";
  CHECK(f.event(keyless) == "refused(no_key) NAK ");
  CHECK(f.centre.entries().empty());
}

TEST_CASE("what the centre does not know is DUH") {
  fixture f;
  frame unknown = press();
  unknown.account = "9999";
  CHECK(f.event(unknown) == "refused(unknown account) DUH ");
  frame odd = press();
  odd.data = "#1234|1999 00 000";
  CHECK(f.event(odd) == "refused(unknown event) DUH ");
  odd.data = "#1234|nonsense";
  CHECK(f.event(odd) == "refused(content) DUH ");
  frame answer = press();
  answer.id = token::ack;
  answer.data = "";
  CHECK(f.event(answer) == "refused(id of an answer) DUH ");
}

TEST_CASE("link tests are answered and not listed; tests are listed as tests") {
  fixture f;
  CHECK(f.event({.id = token::null, .line = "1", .account = "1234"}) == "linked 1234 ACK ");
  CHECK(f.event({.id = token::null, .encrypted = true, .line = "1", .account = "ABCD", .stamp = noon}) == "linked ABCD *ACK ");
  frame test = press();
  test.data = "#1234|1602 00 000";
  CHECK(f.event(test) == "booked 1 ACK ");
  CHECK(f.centre.entries()[0].test);
}

TEST_CASE("an account that has called and is silent too long is lost, once, and back once") {
  guard::centre_settings s = fixture::settings();
  s.supervise = 90s;
  fixture f{std::move(s)};
  const auto wake = [&f](millis t) {
    f.now += t;
    centre_output out;
    f.centre.on_wake(f.now, out);
    return f.words(out);
  };
  const frame null{.id = token::null, .line = "1", .account = "1234"};
  CHECK(f.centre.next_wake() == never);                  // nobody has called
  CHECK(f.event(null) == "linked 1234 ACK ");
  CHECK(wake(60s) == "");
  CHECK(f.event(sealed()) == "booked 1 *ACK ");
  CHECK(wake(29s) == "");
  CHECK(wake(1s) == "lost 1234 ");
  CHECK(f.centre.next_wake() == f.now + 60s);
  CHECK(wake(60s) == "lost ABCD ");
  CHECK(wake(1h) == "");
  CHECK(f.centre.next_wake() == never);
  CHECK(f.event(null) == "back 1234 linked 1234 ACK ");
  CHECK(f.centre.next_wake() == f.now + 90s);
}

TEST_CASE("it misbehaves on command only") {
  struct row { const char* order; const char* said; bool booked; };
  const row rows[] = {
      {"answer=nak", "refused(on command) NAK ", false},   {"answer=duh", "refused(on command) DUH ", false},
      {"answer=deaf", "refused(on command) ", false},      {"answer=silence", "booked 1 ", true},
      {"answer=duplicate", "booked 1 ACK ACK ", true},     {"answer=bad-crc", "booked 1 bytes ", true},
      {"answer=unframed", "booked 1 bytes ", true},        {"answer=reset", "booked 1 bytes reset ", true},
      {"answer=delay delay=70", "booked 1 ", true},        {"answer=slow delay=5", "booked 1 ", true},
      {"answer=stale", "booked 1 ACK ", true},             {"answer=wrong-sequence", "booked 1 ACK ", true},
      {"answer=wrong-account", "booked 1 ACK ", true},
  };
  for (const row& r : rows) {
    INFO(r.order);
    fixture f;
    f.order(r.order);
    CHECK(f.event(press()) == r.said);
    CHECK(f.centre.entries().size() == (r.booked ? 1 : 0));
    if (std::string_view{r.said}.ends_with("reset ")) continue;
    CHECK(f.event(press(2)).ends_with(r.booked ? "booked 2 ACK " : "booked 1 ACK "));
  }
}

TEST_CASE("delayed and slow answers come at their time, whole") {
  fixture f;
  f.order("answer=delay delay=70");
  (void)f.event(press());
  CHECK(f.centre.next_wake() == mono_from_ms(70));
  centre_output out;
  f.centre.on_wake(mono_from_ms(69), out);
  CHECK(out.actions.empty());
  f.centre.on_wake(mono_from_ms(70), out);
  CHECK(f.words(out) == "ACK ");
  CHECK(f.centre.next_wake() == never);
  f.order("answer=slow delay=5");
  (void)f.event(press(2));
  centre_output bytes_out;
  f.centre.on_wake(mono_from_ms(10'000), bytes_out);
  std::string all;
  for (const auto& a : bytes_out.actions) all += std::get<centre_output::send>(a).data;
  CHECK(read_frame(all).value().sequence == 2);
  f.order("answer=slow");
  (void)f.event(press(3));
  f.centre.on_closed(1);
  CHECK(f.centre.next_wake() == never);
}

TEST_CASE("noise without end ends the connection") {
  fixture f;
  CHECK(f.feed(std::string(junk_bytes_max + 1, 'x')) == "refused(too much that is no frame) reset ");
  CHECK(f.feed(write_frame(press()).value()) == "");
}
