// Goal: nothing but the right ACK, now, says "delivered"; each other answer has its name.
#include "tests/protocol/dc09/samples.hpp"

#include "protocol/dc09/reply.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

const wall_at now = at("10:00:00,01-02-2027");
const sent_frame sent{.encrypted = false, .sequence = 17, .receiver = "1", .line = "2", .account = "1234"};

frame right_answer(token id = token::ack) {
  return {.id = id, .sequence = 17, .receiver = "1", .line = "2", .account = "1234", .data = "", .stamp = std::nullopt};
}
std::string whole(const frame& f) { return write_frame(f, {&key_of(16), bytes(31, 3)}).value(); }

reply judge(const frame& f, millis correction = 0ms, bool encrypted = false) {
  sent_frame out = sent;
  out.encrypted = encrypted;
  return judge_reply(whole(f), out, &key_of(16), now, correction);
}

}  // namespace

TEST_CASE("the right ACK is believed, plain without a time and encrypted within the window") {
  CHECK(judge(right_answer()).is == verdict::delivered);
  frame f = right_answer();
  f.encrypted = true;
  f.stamp = now;
  CHECK(judge(f, 0ms, true).is == verdict::delivered);
  CHECK(judge(f).is == verdict::delivered);   // more than was asked for
}

TEST_CASE("a plain ACK to an encrypted frame is not believed") {
  const reply r = judge(right_answer(), 0ms, true);
  CHECK((r.is == verdict::not_believed && r.why == disbelief::not_encrypted));
}

TEST_CASE("an ACK outside the window is stale, inside it is not") {
  frame f = right_answer();
  const auto stamped = [&f](millis away, millis correction = 0ms) {
    f.stamp = now + away;
    return judge(f, correction);
  };
  CHECK(stamped(-late_max).is == verdict::delivered);
  CHECK(stamped(ahead_max).is == verdict::delivered);
  CHECK(stamped(-late_max - 1s).why == disbelief::stale);
  CHECK(stamped(ahead_max + 1s).why == disbelief::stale);
  CHECK(stamped(-1h).why == disbelief::stale);
  CHECK(stamped(-1h, -1h).is == verdict::delivered);   // after a NAK has said that our clock is an hour ahead
}

TEST_CASE("an ACK for another frame, account, receiver or line is not believed") {
  const auto changed = [](auto change) {
    frame f = right_answer();
    change(f);
    const reply r = judge(f);
    CHECK(r.is == verdict::not_believed);
    return r.why;
  };
  CHECK(changed([](frame& f) { f.sequence = 16; }) == disbelief::foreign_sequence);
  CHECK(changed([](frame& f) { f.sequence = 0; }) == disbelief::foreign_sequence);
  CHECK(changed([](frame& f) { f.account = "1235"; }) == disbelief::foreign_account);
  CHECK(changed([](frame& f) { f.account = ""; }) == disbelief::foreign_account);
  CHECK(changed([](frame& f) { f.receiver = "2"; }) == disbelief::foreign_prefix);
  CHECK(changed([](frame& f) { f.receiver.reset(); }) == disbelief::foreign_prefix);
  CHECK(changed([](frame& f) { f.line = "1"; }) == disbelief::foreign_prefix);
}

TEST_CASE("no other frame and no damage is an ACK") {
  for (const token id : {token::null, token::rsp}) CHECK(judge(right_answer(id)).why == disbelief::no_reply);
  frame f = right_answer();
  f.data = "x";
  CHECK(judge(f).why == disbelief::malformed);
  const std::string good = whole(right_answer());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const reply r = judge_reply(bad, sent, nullptr, now, 0ms);
    CHECK((r.is == verdict::not_believed && r.why == disbelief::malformed));
  }
}

TEST_CASE("DUH for our frame gives it up, for another it is nothing") {
  CHECK(judge(right_answer(token::duh)).is == verdict::cannot_process);
  frame f = right_answer(token::duh);
  f.sequence = 18;
  CHECK(judge(f).why == disbelief::foreign_sequence);
}

TEST_CASE("NAK says how wrong our clock is, within a day") {
  frame f{.id = token::nak, .receiver = "0", .line = "0", .account = "", .data = "", .stamp = now + 1h};
  CHECK((judge(f).is == verdict::clock_wrong && judge(f).offset == 1h));
  CHECK(judge(f, 30min).offset == 1h);   // of our clock as it is, not as corrected
  f.stamp = now - offset_max;
  CHECK(judge(f).offset == -offset_max);
  f.stamp = now - offset_max - 1s;
  CHECK(judge(f).is == verdict::refused);
  f.stamp = now + offset_max + 1s;
  CHECK(judge(f).is == verdict::refused);
  f.stamp.reset();
  CHECK(judge(f).is == verdict::refused);
  f.sequence = 17;
  f.account = "1234";
  CHECK(judge(f).is == verdict::refused);
  f.sequence = 18;
  CHECK(judge(f).why == disbelief::foreign_sequence);
  f.sequence = 17;
  f.account = "1235";
  CHECK(judge(f).why == disbelief::foreign_account);
}

TEST_CASE("answers of another key are not believed") {
  frame f = right_answer();
  f.encrypted = true;
  f.stamp = now;
  sent_frame out = sent;
  out.encrypted = true;
  const reply r = judge_reply(whole(f), out, &key_of(16, 1), now, 0ms);
  CHECK((r.is == verdict::not_believed && r.why == disbelief::malformed));
  CHECK((r.broken == fault::wrong_key || r.broken == fault::stamp));
}
