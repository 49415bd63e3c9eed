// Goal: each answer of a guard centre, in each state of the sender, has the decided consequence; the line's failures too.
#include "protocol/dc09/sender.hpp"
#include "tests/protocol/dc09/samples.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

const wall_at noon = at("12:00:00,01-02-2027");

struct fixture {
  explicit fixture(sender_settings s = two()) : from(std::move(s)) {}
  static sender_settings two() {
    sender_settings s;
    s.receivers = {{.receiver = "1", .line = "1"}, {.format = token::sia_dcs, .receiver = "2", .line = "2"}};
    s.random = [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{9}); };
    s.null_account = "1234";
    return s;
  }
  static sender_settings one() {
    sender_settings s = two();
    s.receivers.resize(1);
    return s;
  }

  static std::string words_of_rest(const sender_output::action& a) {
    if (std::holds_alternative<sender_output::close>(a)) return "close";
    if (const auto* d = std::get_if<sender_output::delivered>(&a))
      return "delivered " + std::to_string(d->id) + " by " + std::to_string(d->receiver);
    if (const auto* f = std::get_if<sender_output::failed>(&a))
      return "failed " + std::to_string(f->id) + ' ' + std::string(name_of(f->why));
    if (const auto* l = std::get_if<sender_output::link>(&a))
      return l->now == link_state::up ? "up " + std::to_string(l->receiver) : "down";
    if (const auto* d = std::get_if<sender_output::doubted>(&a))
      return std::string(name_of(d->what.is)) + '/' + std::string(name_of(d->what.why));
    return "";
  }

  // What has happened since the last call, in words.
  std::string took() {
    std::string said;
    for (auto& a : out.actions) {
      if (const auto* c = std::get_if<sender_output::connect_to>(&a)) {
        said += "connect " + std::to_string(c->receiver);
        connection = c->connection;
      }
      if (const auto* w = std::get_if<sender_output::write>(&a)) {
        last = read_frame(w->data, &key_of(16)).value();
        said += std::string(name_of(last.id)) + ' ' + std::to_string(last.sequence);
      }
      said += words_of_rest(a);
      said += ", ";
    }
    out.actions.clear();
    return said;
  }
  std::string submit(outgoing e = {}) {
    if (e.id == 0) e.id = 1;
    if (e.account.empty()) e.account = "1234";
    REQUIRE(from.submit(now, noon, std::move(e), out));
    return took();
  }
  std::string connected() {
    from.on_connected(now, noon, connection, out);
    return took();
  }
  std::string say(std::string_view data) {
    from.on_bytes(now, noon, connection, as_bytes(data), out);
    return took();
  }
  std::string closed() {
    from.on_closed(now, noon, connection, out);
    return took();
  }
  frame answer(token id) const {
    return {.id = id, .sequence = last.sequence, .receiver = last.receiver, .line = last.line, .account = last.account};
  }
  static std::string text(const frame& f) { return write_frame(f, {&key_of(16), bytes(31, 3)}).value(); }
  std::string ack() { return say(text(answer(token::ack))); }
  std::string nak(std::optional<wall_at> stamp) {
    return say(text({.id = token::nak, .receiver = "0", .line = "0", .stamp = stamp}));
  }
  std::string wait(millis t) {
    now += t;
    from.on_wake(now, noon, out);
    return took();
  }
  void in_flight() {
    CHECK(submit() == "connect 0, ");
    CHECK(connected() == "ADM-CID 1, ");
  }

  sender from;
  sender_output out;
  mono_time now = mono_from_ms(1000);
  std::uint64_t connection = 0;
  frame last;
};

}  // namespace

TEST_CASE("an event connects, goes out and is delivered; the line is kept and used again") {
  fixture f;
  f.in_flight();
  CHECK(f.last.data == "#1234|1101 00 000");
  CHECK(f.last.stamp == noon);
  CHECK(f.ack() == "delivered 1 by 0, up 0, ");
  CHECK(f.from.waiting() == 0);
  CHECK(f.from.next_wake() == never);
  CHECK(f.submit({.id = 2, .sequence = 2}) == "ADM-CID 2, ");
  CHECK(f.submit({.id = 3, .sequence = 3}) == "");           // one in flight
  CHECK(f.submit({.id = 4, .sequence = 4, .urgent = true}) == "");
  CHECK(f.ack() == "delivered 2 by 0, ADM-CID 4, ");         // the urgent one first
  CHECK(f.ack() == "delivered 4 by 0, ADM-CID 3, ");
  CHECK(f.ack() == "delivered 3 by 0, ");
  CHECK(f.ack() == "");                                      // twice
}

TEST_CASE("an urgent event does not wait out the silence before it, another urgent one excepted") {
  fixture f;
  f.in_flight();
  CHECK(f.wait(1s) == "");
  CHECK(f.submit({.id = 2, .sequence = 2, .urgent = true}) == "");
  CHECK(f.from.next_wake() == f.now + 500ms);
  CHECK(f.wait(500ms) == "close, connect 0, ");              // so that an answer to 1 is not taken for one to 2
  CHECK(f.connected() == "ADM-CID 2, ");
  CHECK(f.submit({.id = 3, .sequence = 3, .urgent = true}) == "");
  CHECK(f.from.next_wake() == f.now + 3s);
  CHECK(f.ack() == "delivered 2 by 0, up 0, ADM-CID 3, ");
  CHECK(f.ack() == "delivered 3 by 0, ADM-CID 1, ");         // the one that was overtaken, with its number
  CHECK(f.submit({.id = 4, .sequence = 4, .urgent = true}) == "");
  CHECK(f.ack() == "delivered 1 by 0, ADM-CID 4, ");         // answered in time after all
}

TEST_CASE("a receiver of a first edition gets no extensions") {
  sender_settings s = fixture::one();
  s.receivers[0].extensions = false;
  fixture f{std::move(s)};
  (void)f.submit({.occurred = noon, .reference = "press 7"});
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.last.extensions.empty());
}

TEST_CASE("occurrence and reference go along, an encrypted event is sealed") {
  fixture f;
  (void)f.submit({.key = &key_of(16), .occurred = noon - 3s, .reference = "press 7"});
  (void)f.connected();
  CHECK(f.last.encrypted);
  CHECK(f.last.find('H')->text == "11:59:57,01-02-2027");
  CHECK(f.last.find('I')->text == "press 7");
  CHECK(f.ack() == "not_believed/not_encrypted, ");
  frame sealed = f.answer(token::ack);
  sealed.encrypted = true;
  sealed.stamp = noon;
  CHECK(f.say(fixture::text(sealed)) == "delivered 1 by 0, up 0, ");
}

TEST_CASE("silence: the same frame again with its number, then the other receiver, then a pause; never given up") {
  fixture f;
  f.in_flight();
  CHECK(f.wait(2999ms) == "");
  CHECK(f.wait(1ms) == "ADM-CID 1, ");
  CHECK(f.wait(3s) == "close, connect 1, ");
  CHECK(f.connected() == "SIA-DCS 1, ");
  CHECK(f.last.data == "#1234|Nri0/QA000");
  CHECK(f.wait(3s) == "SIA-DCS 1, ");
  CHECK(f.wait(3s) == "close, down, ");
  CHECK(f.from.next_wake() == f.now + 1s);
  CHECK(f.wait(1s) == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.ack() == "delivered 1 by 0, up 0, ");
}

// Well within the 30 s after which a press is shown as not delivered, and about when the gateway's direct path begins.
TEST_CASE("the second receiver hears of a press soon, however the first one fails") {
  SECTION("silent on a line that was just opened") {
    fixture f;
    const mono_time pressed = f.now;
    CHECK(f.submit({.urgent = true}) == "connect 0, ");
    CHECK(f.connected() == "ADM-CID 1, ");
    CHECK(f.wait(3s) == "ADM-CID 1, ");
    CHECK(f.wait(3s) == "close, connect 1, ");
    CHECK(f.now - pressed <= 6s);
  }
  SECTION("swallows the attempt to connect") {
    fixture f;
    const mono_time pressed = f.now;
    CHECK(f.submit({.urgent = true}) == "connect 0, ");
    CHECK(f.wait(3s) == "close, connect 1, ");
    CHECK(f.now - pressed <= 3s);
  }
  SECTION("half open after idling, then gone: the repetition does not go into the dead line") {
    fixture f;
    f.in_flight();
    CHECK(f.ack() == "delivered 1 by 0, up 0, ");
    CHECK(f.wait(20s) == "");
    const mono_time pressed = f.now;
    CHECK(f.submit({.id = 2, .sequence = 2, .urgent = true}) == "ADM-CID 2, ");
    CHECK(f.wait(3s) == "close, connect 0, ");
    CHECK(f.wait(3s) == "close, connect 1, ");
    CHECK(f.now - pressed <= 6s);
  }
}

TEST_CASE("half open after idling: the repetition on a new connection arrives") {
  fixture f{fixture::one()};
  f.in_flight();
  CHECK(f.ack() == "delivered 1 by 0, up 0, ");
  CHECK(f.wait(19'999ms) == "");
  CHECK(f.submit({.id = 2, .sequence = 2}) == "ADM-CID 2, ");
  CHECK(f.wait(3s) == "ADM-CID 2, ");                        // the line was heard lately: it may be slow
  CHECK(f.ack() == "delivered 2 by 0, ");
  CHECK(f.wait(20s) == "");
  CHECK(f.submit({.id = 3, .sequence = 3}) == "ADM-CID 3, ");
  CHECK(f.wait(3s) == "close, connect 0, ");
  CHECK(f.connected() == "ADM-CID 3, ");
  CHECK(f.ack() == "delivered 3 by 0, ");
}

// 2 s of delay each way: nothing connects within 3 s, all within 12 s.
TEST_CASE("each round without success is more patient, so that a slow line delivers in the end") {
  fixture f{fixture::one()};
  CHECK(f.submit({.urgent = true}) == "connect 0, ");
  CHECK(f.wait(3s) == "close, down, ");
  CHECK(f.wait(1s) == "connect 0, ");
  CHECK(f.wait(5'999ms) == "");
  CHECK(f.wait(1ms) == "close, ");
  CHECK(f.wait(2s) == "connect 0, ");
  CHECK(f.wait(8s) == "");                                   // TCP and TLS over such a line
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.wait(4s) == "");
  CHECK(f.ack() == "delivered 1 by 0, up 0, ");              // as slow: the patience stays
  CHECK(f.submit({.id = 2, .sequence = 2}) == "ADM-CID 2, ");
  CHECK(f.from.next_wake() == f.now + 12s);
  CHECK(f.wait(1s) == "");
  CHECK(f.ack() == "delivered 2 by 0, ");                    // quick again
  CHECK(f.submit({.id = 3, .sequence = 3}) == "ADM-CID 3, ");
  CHECK(f.from.next_wake() == f.now + 3s);
}

TEST_CASE("with an urgent event in hand no pause is longer than 5 s, and no receiver is left that answers") {
  fixture f{fixture::one()};
  (void)f.submit({.urgent = true});
  for (int i = 0; i < 8; ++i) {
    (void)f.closed();
    CHECK(f.from.next_wake() - f.now <= 5s);
    (void)f.wait(f.from.next_wake() - f.now);
  }
  fixture g;
  (void)g.submit();
  CHECK(g.closed() == "connect 1, ");
  CHECK(g.connected() == "SIA-DCS 1, ");
  CHECK(g.ack() == "delivered 1 by 1, up 1, ");
  CHECK(g.wait(400s) == "");
  CHECK(g.submit({.id = 2, .sequence = 2, .urgent = true}) == "SIA-DCS 2, ");
  CHECK(g.ack() == "delivered 2 by 1, ");
  CHECK(g.submit({.id = 3, .sequence = 3}) == "close, connect 0, ");
}

TEST_CASE("a late right answer counts, one of an older connection does not") {
  fixture f;
  f.in_flight();
  const std::string late = fixture::text(f.answer(token::ack));
  CHECK(f.wait(3s) == "ADM-CID 1, ");
  CHECK(f.say(late) == "delivered 1 by 0, up 0, ");
  (void)f.submit({.id = 2, .sequence = 2});
  const std::string old = fixture::text(f.answer(token::ack));
  const std::uint64_t former = f.connection;
  CHECK(f.closed() == "connect 0, ");
  f.from.on_bytes(f.now, noon, former, as_bytes(old), f.out);
  f.from.on_closed(f.now, noon, former, f.out);
  f.from.on_connected(f.now, noon, former, f.out);
  CHECK(f.took() == "");
  CHECK(f.connected() == "ADM-CID 2, ");
}

TEST_CASE("NAK with a time: the offset is set for this receiver's stamps, the same frame goes out at once") {
  fixture f;
  f.in_flight();
  CHECK(f.nak(noon + 1h) == "clock_wrong/none, ADM-CID 1, ");
  CHECK(f.last.stamp == noon + 1h);
  CHECK(f.from.offset(0) == 1h);
  CHECK(f.from.offset(1) == 0ms);
  CHECK(f.ack() == "delivered 1 by 0, up 0, ");
  (void)f.submit({.id = 2, .sequence = 2});
  CHECK(f.last.stamp == noon + 1h);
}

TEST_CASE("NAK after NAK is no storm: corrections end, tries count, the other receiver is next") {
  fixture f;
  f.in_flight();
  CHECK(f.nak(noon + 1h) == "clock_wrong/none, ADM-CID 1, ");
  CHECK(f.nak(noon + 2h) == "clock_wrong/none, ADM-CID 1, ");
  CHECK(f.nak(noon + 3h) == "clock_wrong/none, ");
  CHECK(f.wait(499ms) == "");
  CHECK(f.wait(1ms) == "ADM-CID 1, ");
  CHECK(f.nak(noon + 25h) == "refused/none, close, connect 1, ");
  CHECK(f.from.offset(0) == 3h);                             // what is out of bounds is not taken
}

TEST_CASE("DUH gives the event up at this receiver; at all of them it is refused") {
  fixture f;
  f.in_flight();
  CHECK(f.submit({.id = 2, .sequence = 2}) == "");
  CHECK(f.say(fixture::text(f.answer(token::duh))) == "cannot_process/none, up 0, ADM-CID 2, ");
  CHECK(f.ack() == "delivered 2 by 0, close, connect 1, ");  // only what is left goes elsewhere
  CHECK(f.connected() == "SIA-DCS 1, ");
  CHECK(f.say(fixture::text(f.answer(token::duh))) == "cannot_process/none, failed 1 refused, up 1, ");
  CHECK(f.from.waiting() == 0);
}

TEST_CASE("nothing else is an answer; the time for it goes on") {
  fixture f;
  f.in_flight();
  const auto doubted = [&f](auto change) {
    frame a = f.answer(token::ack);
    change(a);
    return f.say(fixture::text(a));
  };
  CHECK(doubted([](frame& a) { a.sequence = 2; }) == "not_believed/foreign_sequence, ");
  CHECK(doubted([](frame& a) { a.account = "1235"; }) == "not_believed/foreign_account, ");
  CHECK(doubted([](frame& a) { a.line = "7"; }) == "not_believed/foreign_prefix, ");
  CHECK(doubted([](frame& a) { a.stamp = noon - 1h; }) == "not_believed/stale, ");
  CHECK(doubted([](frame& a) { a.id = token::rsp; }) == "not_believed/no_reply, ");
  CHECK(f.say("\"NAK\"\r\n") == "");                         // unframed
  CHECK(f.say("\nABC\r") == "not_believed/malformed, ");
  CHECK(f.say("\nABC\nDEF\n") == "not_believed/malformed, not_believed/malformed, ");
  CHECK(f.from.next_wake() == f.now + 3s);
  CHECK(f.say(std::string(junk_bytes_max + 1, 'x')).starts_with("not_believed/malformed, "));   // the open frame grew too long
  CHECK(f.wait(0ms) == "");
}

TEST_CASE("noise without end costs the line and a try") {
  fixture f;
  f.in_flight();
  CHECK(f.say(std::string(junk_bytes_max + 1, 'x')) == "close, ");
  CHECK(f.wait(500ms) == "connect 0, ");
}

// Found by a centre that sent rubbish in frames: each of millions was told to the log, and the rest of the relay waited.
TEST_CASE("frames without end that are no answer cost the line and a try, and are told a few times only") {
  fixture f;
  f.in_flight();
  std::string words;
  for (int i = 0; i < 5'000; ++i) words += "\nHELLO WORLD\r";
  const std::string told = f.say(words);
  CHECK(told.ends_with("close, "));
  CHECK(std::ranges::count(told, ',') == static_cast<std::ptrdiff_t>(doubts_max) + 2);
  CHECK(f.wait(500ms) == "connect 0, ");
}

TEST_CASE("an answer in pieces, and two in one piece") {
  fixture f;
  f.in_flight();
  const std::string whole = fixture::text(f.answer(token::ack));
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) CHECK(f.say(whole.substr(i, 1)) == "");
  CHECK(f.say(whole.substr(whole.size() - 1) + whole) == "delivered 1 by 0, up 0, ");
}

TEST_CASE("no connection: the next receiver, then a growing pause; an urgent event ends it") {
  fixture f;
  CHECK(f.submit() == "connect 0, ");
  CHECK(f.closed() == "connect 1, ");
  CHECK(f.wait(3s) == "close, down, ");                      // not even a refusal
  CHECK(f.wait(999ms) == "");
  CHECK(f.wait(1ms) == "connect 0, ");
  CHECK(f.closed() == "connect 1, ");
  CHECK(f.closed() == "");                                   // still down
  CHECK(f.from.next_wake() == f.now + 2s);
  CHECK(f.submit({.id = 2, .sequence = 2}) == "");
  CHECK(f.submit({.id = 3, .sequence = 3, .urgent = true}) == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 3, ");
}

TEST_CASE("pauses double up to their limit") {
  fixture f{fixture::one()};
  (void)f.submit();
  millis last{0};
  for (int i = 0; i < 8; ++i) {
    (void)f.closed();
    last = f.from.next_wake() - f.now;
    (void)f.wait(last);
  }
  CHECK(last == 30s);
}

TEST_CASE("a reset in mid-answer: again at once, then the next receiver") {
  fixture f;
  f.in_flight();
  (void)f.say("\n12");
  CHECK(f.closed() == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.say("34") == "");                                  // the half frame went with its line
  CHECK(f.closed() == "connect 1, ");
}

TEST_CASE("the preferred receiver is tried again after a while") {
  fixture f;
  (void)f.submit();
  CHECK(f.closed() == "connect 1, ");
  CHECK(f.connected() == "SIA-DCS 1, ");
  CHECK(f.ack() == "delivered 1 by 1, up 1, ");
  CHECK(f.submit({.id = 2, .sequence = 2}) == "SIA-DCS 2, ");
  CHECK(f.ack() == "delivered 2 by 1, ");
  f.now += 300s;
  CHECK(f.submit({.id = 3, .sequence = 3}) == "close, connect 0, ");
  CHECK(f.connected() == "ADM-CID 3, ");
  CHECK(f.ack() == "delivered 3 by 0, up 0, ");
}

TEST_CASE("an event is given up when its owner says, and no answer comes after that") {
  fixture f;
  CHECK(f.submit({.give_up_at = f.now + 5s}) == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.wait(3s) == "ADM-CID 1, ");
  CHECK(f.from.next_wake() == f.now + 2s);
  CHECK(f.wait(2s) == "failed 1 given_up, ");
  CHECK(f.ack() == "");
  CHECK(f.from.next_wake() == never);
}

TEST_CASE("a cancelled event has no end") {
  fixture f;
  f.in_flight();
  CHECK(f.from.cancel(1));
  CHECK_FALSE(f.from.cancel(1));
  CHECK(f.ack() == "");
  CHECK(f.submit({.id = 2, .sequence = 2}) == "close, connect 0, ");
}

TEST_CASE("what cannot be written fails at once and stops nobody") {
  fixture f;
  (void)f.submit({.id = 1, .account = "nonsense"});
  CHECK(f.connected() == "failed 1 cannot_write, ");
  CHECK(f.submit({.id = 2, .what = {.zone = 1000}}) == "failed 2 cannot_write, ");
  CHECK(f.submit({.id = 3, .reference = "a]b"}) == "failed 3 cannot_write, ");
  CHECK(f.submit({.id = 4, .sequence = 0}) == "failed 4 cannot_write, ");
  CHECK(f.submit({.id = 5}) == "ADM-CID 1, ");
}

TEST_CASE("an event without a SIA code goes as Contact ID to a SIA receiver") {
  fixture f;
  (void)f.submit({.what = {.what = event::check_in_missed}});
  (void)f.closed();
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.last.data == "#1234|1102 00 000");
}

TEST_CASE("as many as are allowed wait") {
  fixture f;
  for (std::uint64_t id = 1; id <= events_waiting_max; ++id) REQUIRE(f.from.submit(f.now, noon, {.id = id, .account = "1234"}, f.out));
  CHECK(f.from.submit(f.now, noon, {.id = 5000, .account = "1234"}, f.out).error().code == errc::refused);
}

// ---- supervision

TEST_CASE("NULL at once, then each interval; any answered frame counts") {
  sender_settings s = fixture::one();
  s.null_interval = 60s;
  fixture f{std::move(s)};
  CHECK(f.from.next_wake() <= f.now);
  CHECK(f.wait(0ms) == "connect 0, ");
  CHECK(f.connected() == "NULL 0, ");
  CHECK(f.ack() == "up 0, ");
  CHECK(f.from.next_wake() == f.now + 60s);
  f.now += 50s;
  (void)f.submit();
  CHECK(f.ack() == "delivered 1 by 0, ");
  CHECK(f.from.next_wake() == f.now + 60s);
  CHECK(f.wait(60s) == "NULL 0, ");
  CHECK(f.submit({.id = 2, .sequence = 2}) == "");
  CHECK(f.ack() == "ADM-CID 2, ");
}

TEST_CASE("a line that goes while idle is opened again and asked; one that does not come back is down, once") {
  sender_settings s = fixture::one();
  s.null_interval = 60s;
  fixture f{std::move(s)};
  (void)f.wait(0ms);
  (void)f.connected();
  CHECK(f.ack() == "up 0, ");
  CHECK(f.closed() == "");
  CHECK(f.wait(1s) == "connect 0, ");
  CHECK(f.connected() == "NULL 0, ");
  CHECK(f.wait(3s) == "NULL 0, ");
  CHECK(f.wait(3s) == "close, down, ");
  for (int i = 0; i < 5; ++i) {
    (void)f.wait(f.from.next_wake() - f.now);
    CHECK(f.closed() == "");
  }
  (void)f.wait(f.from.next_wake() - f.now);
  CHECK(f.connected() == "NULL 0, ");
  CHECK(f.ack() == "up 0, ");
}

TEST_CASE("receivers that do not know NULL answer NAK or DUH: the line lives all the same") {
  sender_settings s = fixture::one();
  s.null_interval = 60s;
  fixture f{std::move(s)};
  (void)f.wait(0ms);
  (void)f.connected();
  CHECK(f.nak(std::nullopt) == "refused/none, up 0, ");
  CHECK(f.wait(60s) == "NULL 0, ");
  CHECK(f.say(fixture::text(f.answer(token::duh))) == "cannot_process/none, ");
  CHECK(f.wait(60s) == "NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, ");
  CHECK(f.from.link() == link_state::up);
}

TEST_CASE("without supervision an idle line that closes stays closed until it is needed") {
  fixture f;
  f.in_flight();
  (void)f.ack();
  CHECK(f.closed() == "");
  CHECK(f.from.next_wake() == never);
  CHECK(f.submit({.id = 2, .sequence = 2}) == "connect 0, ");
}
