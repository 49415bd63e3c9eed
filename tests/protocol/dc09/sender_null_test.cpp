// Goal: the supervision of an idle line by NULL: when it is asked, what counts as its answer, when it is down.
#include "tests/protocol/dc09/sender_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

TEST_CASE("NULL at once, then each interval; any answered frame counts") {
  sender_settings s = sender_bench::one();
  s.null_interval = 60s;
  sender_bench f{std::move(s)};
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
  sender_settings s = sender_bench::one();
  s.null_interval = 60s;
  sender_bench f{std::move(s)};
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
  sender_settings s = sender_bench::one();
  s.null_interval = 60s;
  sender_bench f{std::move(s)};
  (void)f.wait(0ms);
  (void)f.connected();
  CHECK(f.nak(std::nullopt) == "refused/none, up 0, ");
  CHECK(f.wait(60s) == "NULL 0, ");
  CHECK(f.say(sender_bench::text(f.answer(token::duh))) == "cannot_process/none, ");
  CHECK(f.wait(60s) == "NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, NULL 0, ");
  CHECK(f.nak(noon) == "clock_wrong/none, ");
  CHECK(f.from.link() == link_state::up);
}

TEST_CASE("without supervision an idle line that closes stays closed until it is needed") {
  sender_bench f;
  f.in_flight();
  (void)f.ack();
  CHECK(f.closed() == "");
  CHECK(f.from.next_wake() == never);
  CHECK(f.submit({.id = 2, .sequence = 2}) == "connect 0, ");
}
