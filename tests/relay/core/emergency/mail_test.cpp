// Goal: the mail of one home's emergency does not wait for another's heap, nor does a heap take the others' room.
#include "tests/relay/core/emergency/desk_bench.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

std::ptrdiff_t mails_before(const desk_bench& b, std::uint64_t about) {
  return std::ranges::find(b.mails, about, [](const auto& m) { return m.what.key.about; }) - b.mails.begin();
}

}  // namespace

// Found by sixty-four presses of one home at a mail server that took 1.6 s for each: another home's first mail left after 103 s.
TEST_CASE("homes take turns at the mail server") {
  desk_bench b;
  b.mail_answers = false;
  const auto [mad, other] = b.start_two_homes();
  for (std::uint64_t i = 1; i <= 60; ++i) b.from(mad, a_press(i));
  b.from(other, a_press(0xabc));
  while (!b.with_mail_server.empty()) b.mail_server_answers();
  CHECK(b.mails.size() == 61 * 4);              // family and provider: a press, and that the centre has it
  CHECK(mails_before(b, 0xabc) <= 5);           // those that the server had, and one of the other home
  for (std::uint64_t i = 2; i <= 60; ++i) CHECK(mails_before(b, i - 1) < mails_before(b, i));
}

TEST_CASE("a press is told before a trouble that came earlier") {
  desk_bench b;
  b.limits.mails_in_flight_max = 1;
  b.add_home(1);
  b.start();
  b.mail_answers = false;
  const auto lane = b.connect(1);
  b.from(lane, wire::box_state{.troubles = {{trouble_kind::button_stuck, "a"}, {trouble_kind::button_stuck, "b"}}});
  b.from(lane, a_press(0xabc));
  while (!b.with_mail_server.empty()) b.mail_server_answers();
  CHECK(mails_before(b, 0xabc) == 1);           // behind the one that was out
  CHECK(b.mails_of(emergency_notice::trouble) == 2);
}

TEST_CASE("troubles leave room for a press") {
  desk_bench b;
  b.limits.mails_waiting_of_home = 10;
  b.add_home(1);
  b.start();
  b.mail_answers = false;
  const auto lane = b.connect(1);
  for (char name = 'a'; name < 'm'; ++name)     // each stuck, then the next
    b.from(lane, wire::box_state{.troubles = {{trouble_kind::button_stuck, std::string(1, name)}}});
  CHECK(b.desk->health().mails_given_up > 0);
  b.from(lane, a_press(0xabc));
  while (!b.with_mail_server.empty()) b.mail_server_answers();
  CHECK(b.mails_of(emergency_notice::press) == 2);
  CHECK(b.mails_of(emergency_notice::press_accepted) == 2);
}

TEST_CASE("one home's mails do not take the room of the others") {
  desk_bench b;
  b.limits.mails_waiting_of_home = 10;
  b.mail_answers = false;
  const auto [mad, other] = b.start_two_homes();
  for (std::uint64_t i = 1; i <= 30; ++i) b.from(mad, a_press(i));
  CHECK(b.desk->health().mails_given_up == 30 * 4 - 10);
  b.from(other, a_press(0xabc));
  CHECK(b.desk->health().mails_given_up == 30 * 4 - 10);
  while (!b.with_mail_server.empty()) b.mail_server_answers();
  CHECK(b.mails.size() == 14);
  b.cut();                                     // the room is counted anew after a start, too
  b.start();
  b.mail_answers = false;
  const auto again = b.connect(1);
  for (std::uint64_t i = 101; i <= 130; ++i) b.from(again, a_press(i));
  b.cut();
  b.start();
  const auto third = b.connect(1);
  b.from(third, a_press(0xdef));
  CHECK(mails_before(b, 0xdef) == static_cast<std::ptrdiff_t>(b.mails.size()));   // ten wait already
  while (!b.with_mail_server.empty()) b.mail_server_answers();
  b.from(third, a_press(0xd00));
  CHECK(mails_before(b, 0xd00) < static_cast<std::ptrdiff_t>(b.mails.size()));
}
