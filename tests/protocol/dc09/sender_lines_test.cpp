// Goal: each failure of the line to a guard centre, silence included, in each state of the sender, has the decided consequence.
#include "tests/protocol/dc09/sender_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

TEST_CASE("silence: the same frame again with its number, then the other receiver, then a pause; never given up") {
  sender_bench f;
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
    sender_bench f;
    const mono_time pressed = f.now;
    CHECK(f.submit({.urgent = true}) == "connect 0, ");
    CHECK(f.connected() == "ADM-CID 1, ");
    CHECK(f.wait(3s) == "ADM-CID 1, ");
    CHECK(f.wait(3s) == "close, connect 1, ");
    CHECK(f.now - pressed <= 6s);
  }
  SECTION("swallows the attempt to connect") {
    sender_bench f;
    const mono_time pressed = f.now;
    CHECK(f.submit({.urgent = true}) == "connect 0, ");
    CHECK(f.wait(3s) == "close, connect 1, ");
    CHECK(f.now - pressed <= 3s);
  }
  SECTION("half open after idling, then gone: the repetition does not go into the dead line") {
    sender_bench f;
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
  sender_bench f{sender_bench::one()};
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
  sender_bench f{sender_bench::one()};
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
  sender_bench f{sender_bench::one()};
  (void)f.submit({.urgent = true});
  for (int i = 0; i < 8; ++i) {
    (void)f.closed();
    CHECK(f.from.next_wake() - f.now <= 5s);
    (void)f.wait(f.from.next_wake() - f.now);
  }
  sender_bench g;
  (void)g.submit();
  CHECK(g.closed() == "connect 1, ");
  CHECK(g.connected() == "SIA-DCS 1, ");
  CHECK(g.ack() == "delivered 1 by 1, up 1, ");
  CHECK(g.wait(400s) == "");
  CHECK(g.submit({.id = 2, .sequence = 2, .urgent = true}) == "SIA-DCS 2, ");
  CHECK(g.ack() == "delivered 2 by 1, ");
  CHECK(g.submit({.id = 3, .sequence = 3}) == "close, connect 0, ");
}

TEST_CASE("no connection: the next receiver, then a growing pause; an urgent event ends it") {
  sender_bench f;
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
  sender_bench f{sender_bench::one()};
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
  sender_bench f;
  f.in_flight();
  (void)f.say("\n12");
  CHECK(f.closed() == "connect 0, ");
  CHECK(f.connected() == "ADM-CID 1, ");
  CHECK(f.say("34") == "");                                  // the half frame went with its line
  CHECK(f.closed() == "connect 1, ");
}

TEST_CASE("the preferred receiver is tried again after a while") {
  sender_bench f;
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
