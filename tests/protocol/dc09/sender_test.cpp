// Goal: what becomes of an event from its submission to its end: its order, what goes along, how it is given up.
#include "tests/protocol/dc09/sender_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

TEST_CASE("an event connects, goes out and is delivered; the line is kept and used again") {
  sender_bench f;
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
  sender_bench f;
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
  sender_settings s = sender_bench::one();
  s.receivers[0].extensions = false;
  sender_bench f{std::move(s)};
  (void)f.submit({.occurred = noon, .reference = "press 7"});
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.last.extensions.empty());
}

TEST_CASE("occurrence and reference go along, an encrypted event is sealed") {
  sender_bench f;
  (void)f.submit({.key = &key_of(16), .occurred = noon - 3s, .reference = "press 7"});
  (void)f.connected();
  CHECK(f.last.encrypted);
  CHECK(f.last.find('H')->text == "11:59:57,01-02-2027");
  CHECK(f.last.find('I')->text == "press 7");
  CHECK(f.ack() == "not_believed/not_encrypted, ");
  frame sealed = f.answer(token::ack);
  sealed.encrypted = true;
  sealed.stamp = noon;
  CHECK(f.say(sender_bench::text(sealed)) == "delivered 1 by 0, up 0, ");
}

TEST_CASE("an event is given up when its owner says, and no answer comes after that") {
  sender_bench f;
  CHECK(f.submit({.give_up_at = f.now + 5s}) == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.wait(3s) == "ADM-CID 1, ");
  CHECK(f.from.next_wake() == f.now + 2s);
  CHECK(f.wait(2s) == "failed 1 given_up, ");
  CHECK(f.ack() == "");
  CHECK(f.from.next_wake() == never);
}

TEST_CASE("a cancelled event has no end") {
  sender_bench f;
  f.in_flight();
  CHECK(f.from.cancel(1));
  CHECK_FALSE(f.from.cancel(1));
  CHECK(f.ack() == "");
  CHECK(f.submit({.id = 2, .sequence = 2}) == "close, connect 0, ");
}

TEST_CASE("what cannot be written fails at once and stops nobody") {
  sender_bench f;
  (void)f.submit({.id = 1, .account = "nonsense"});
  CHECK(f.connected() == "failed 1 cannot_write, ");
  CHECK(f.submit({.id = 2, .what = {.zone = 1000}}) == "failed 2 cannot_write, ");
  CHECK(f.submit({.id = 3, .reference = "a]b"}) == "failed 3 cannot_write, ");
  CHECK(f.submit({.id = 4, .sequence = 0}) == "failed 4 cannot_write, ");
  CHECK(f.submit({.id = 5}) == "ADM-CID 1, ");
}

TEST_CASE("an event without a SIA code goes as Contact ID to a SIA receiver") {
  sender_bench f;
  (void)f.submit({.what = {.what = event::check_in_missed}});
  (void)f.closed();
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.last.data == "#1234|1102 00 000");
}

TEST_CASE("as many as are allowed wait") {
  sender_bench f;
  for (std::uint64_t id = 1; id <= events_waiting_max; ++id) REQUIRE(f.from.submit(f.now, noon, {.id = id, .account = "1234"}, f.out));
  CHECK(f.from.submit(f.now, noon, {.id = 5000, .account = "1234"}, f.out).error().code == errc::refused);
}
