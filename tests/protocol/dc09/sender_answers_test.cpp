// Goal: each answer of a guard centre, in each state of the sender, has the decided consequence.
#include "tests/protocol/dc09/sender_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

TEST_CASE("a late right answer counts, one of an older connection does not") {
  sender_bench f;
  f.in_flight();
  const std::string late = sender_bench::text(f.answer(token::ack));
  CHECK(f.wait(3s) == "ADM-CID 1, ");
  CHECK(f.say(late) == "delivered 1 by 0, up 0, ");
  (void)f.submit({.id = 2, .sequence = 2});
  const std::string old = sender_bench::text(f.answer(token::ack));
  const std::uint64_t former = f.connection;
  CHECK(f.closed() == "connect 0, ");
  f.from.on_bytes(f.now, noon, former, as_bytes(old), f.out);
  f.from.on_closed(f.now, noon, former, f.out);
  f.from.on_connected(f.now, noon, former, f.out);
  CHECK(f.took() == "");
  CHECK(f.connected() == "ADM-CID 2, ");
}

TEST_CASE("NAK with a time: the offset is set for this receiver's stamps, the same frame goes out at once") {
  sender_bench f;
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
  sender_bench f;
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
  sender_bench f;
  f.in_flight();
  CHECK(f.submit({.id = 2, .sequence = 2}) == "");
  CHECK(f.say(sender_bench::text(f.answer(token::duh))) == "cannot_process/none, up 0, ADM-CID 2, ");
  CHECK(f.ack() == "delivered 2 by 0, close, connect 1, ");  // only what is left goes elsewhere
  CHECK(f.connected() == "SIA-DCS 1, ");
  CHECK(f.say(sender_bench::text(f.answer(token::duh))) == "cannot_process/none, failed 1 refused, up 1, ");
  CHECK(f.from.waiting() == 0);
}

TEST_CASE("nothing else is an answer; the time for it goes on") {
  sender_bench f;
  f.in_flight();
  const auto doubted = [&f](auto change) {
    frame a = f.answer(token::ack);
    change(a);
    return f.say(sender_bench::text(a));
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
  sender_bench f;
  f.in_flight();
  CHECK(f.say(std::string(junk_bytes_max + 1, 'x')) == "close, ");
  CHECK(f.wait(500ms) == "connect 0, ");
}

// Found by a centre that sent rubbish in frames: each of millions was told to the log, and the rest of the relay waited.
TEST_CASE("frames without end that are no answer cost the line and a try, and are told a few times only") {
  sender_bench f;
  f.in_flight();
  std::string words;
  for (int i = 0; i < 5'000; ++i) words += "\nHELLO WORLD\r";
  const std::string told = f.say(words);
  CHECK(told.ends_with("close, "));
  CHECK(std::ranges::count(told, ',') == static_cast<std::ptrdiff_t>(doubts_max) + 2);
  CHECK(f.wait(500ms) == "connect 0, ");
}

TEST_CASE("an answer in pieces, and two in one piece") {
  sender_bench f;
  f.in_flight();
  const std::string whole = sender_bench::text(f.answer(token::ack));
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) CHECK(f.say(whole.substr(i, 1)) == "");
  CHECK(f.say(whole.substr(whole.size() - 1) + whole) == "delivered 1 by 0, up 0, ");
}
