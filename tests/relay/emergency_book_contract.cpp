// Goal: what is committed is there whole after a restart, what is over is found and not loaded, numbers never go back, and what
// is old leaves.
#include "tests/relay/emergency_book_contract.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

const wall_at t0 = wall_from_ms(1'790'000'000'000);
gateway_id box(const char* name) { return *gateway_id::parse(name); }

press_row full_press() {
  press_row r{.id = press_id{0xfedcba9876543210u}, .home = home_id{7}, .gateway = box("box-7"), .source = press_source::drill,
              .button = "ボタン", .test = true, .request = 0xffff'ffff'ffff'fff0u, .occurred = t0 - 5s, .known = t0,
              .reported_first = true, .stage = press_stage::accepted, .accepted = t0 + 1s, .path = press_path::direct,
              .receiver = 2, .alarmed = t0 + 30s, .reported = t0 + 31s, .reported_path = press_path::relay,
              .was_undelivered = true, .interrupted = true};
  r.durable_us = 0;
  r.received_us = 4'294'967'295u;
  r.shown_us = 3;
  return r;
}

guard_event_row event(std::uint64_t id, const char* account, std::uint16_t sequence) {
  return {.id = guard_event_id{id}, .home = home_id{7}, .account = account, .sequence = sequence,
          .what = {dc09::event::general_alarm, dc09::edge::restored, 0, 900}, .reference = "00000000000000FF",
          .occurred = t0 - 1s, .urgent = true, .made = t0};
}

emergency_mail_row mail_row() {
  return {.key = {emergency_notice::press_accepted, 0x8000'0000'0000'0001u, contact_id{3}}, .home = home_id{7}, .queued = t0,
          .not_before = t0 + 20s, .attempts = 2, .subject = "件名", .body = "one\ntwo\n", .message_id = "a@b", .last_error = "451"};
}

emergency_state loaded(book_under_test& b) {
  auto s = b.port().load();
  REQUIRE(s);
  return std::move(*s);
}

}  // namespace

TEST_CASE("every field comes back, after a restart too") {
  const auto made = make_book_under_test();
  const watch_row watch{.home = home_id{7}, .lost = true, .since = t0, .told = guard_event_id{9}, .tested_day = -3};
  const trouble_row trouble{.home = home_id{7}, .gateway = box("box-7"), .kind = trouble_kind::button_silent, .button = "x", .since = t0};
  const alert_row alert{.home = home_id{7}, .appliance = appliance_id{65'535}, .since = 1'900'800, .begun = t0};
  const dispatch_row dispatch{.id = dispatch_id{0xffff'ffff'ffff'ffffu}, .home = home_id{7}, .who = "娘", .reason = "no answer", .asked = t0,
                              .alarmed = t0 + 30s};
  const drill_row drill{.request = 0xffff'ffff'ffff'fff0u, .home = home_id{7}, .gateway = box("box-7"), .asked = t0,
                        .press = press_id{0xfedcba9876543210u}};
  const auto e = event(9, "ABCDEF0123456789", 9'999);
  REQUIRE(made->port().commit({full_press(), e, watch, trouble, alert, dispatch, drill, mail_row()}));
  for (int round = 0; round < 2; ++round) {
    const auto s = loaded(*made);
    CHECK(s.presses == std::vector{full_press()});
    CHECK(s.events == std::vector{e});
    CHECK(s.watches == std::vector{watch});
    CHECK(s.troubles == std::vector{trouble});
    CHECK(s.alerts == std::vector{alert});
    CHECK(s.dispatches == std::vector{dispatch});
    CHECK(s.drills == std::vector{drill});
    CHECK(s.mails == std::vector{mail_row()});
    CHECK(s.sequences == std::map<std::string, std::uint16_t>{{"ABCDEF0123456789", 9'999}});
    CHECK(s.last_event == guard_event_id{9});
    CHECK(s.lost == book_loss::none);
    made->reopen();
  }
}

TEST_CASE("a row is replaced by its key; the same batch again changes nothing") {
  const auto made = make_book_under_test();
  press_row p = full_press();
  REQUIRE(made->port().commit({p}));
  p.closed = t0 + 1min;
  for (int i = 0; i < 2; ++i) REQUIRE(made->port().commit({p, event(1, "A001", 1)}));
  CHECK(loaded(*made).presses.empty());
  CHECK(loaded(*made).events.size() == 1);
  CHECK(made->port().find_press(p.id).value() == p);
  CHECK(made->port().find_press(press_id{1}).value() == std::nullopt);
}

TEST_CASE("the number of an account is that of its newest event, whatever is written later of older ones") {
  const auto made = make_book_under_test();
  REQUIRE(made->port().commit({event(1, "A001", 9'999), event(2, "A002", 5)}));
  REQUIRE(made->port().commit({event(3, "A001", 1)}));
  auto older = event(1, "A001", 9'999);
  older.state = guard_event_state::delivered;
  older.ended = t0 + 1s;
  REQUIRE(made->port().commit({older}));
  made->reopen();
  const auto s = loaded(*made);
  CHECK(s.sequences == std::map<std::string, std::uint16_t>{{"A001", 1}, {"A002", 5}});
  CHECK(s.last_event == guard_event_id{3});
  CHECK(s.events.size() == 2);
}

TEST_CASE("what is over is found by its key and not loaded") {
  const auto made = make_book_under_test();
  const alert_row alert{.home = home_id{1}, .appliance = appliance_id{2}, .since = 3, .begun = t0, .ended = t0 + 1s};
  const dispatch_row dispatch{.id = dispatch_id{4}, .home = home_id{1}, .who = "w", .reason = "r", .asked = t0, .accepted = t0 + 1s};
  const drill_row drill{.request = 5, .home = home_id{1}, .gateway = box("box-1"), .asked = t0, .ended = t0 + 1s, .answered = true};
  auto sent = mail_row();
  sent.state = emergency_mail_state::sent;
  REQUIRE(made->port().commit({alert, dispatch, drill, sent}));
  const auto s = loaded(*made);
  CHECK((s.alerts.empty() && s.dispatches.empty() && s.drills.empty() && s.mails.empty()));
  CHECK(made->port().find_alert(home_id{1}, appliance_id{2}, 3).value() == alert);
  CHECK(made->port().find_alert(home_id{1}, appliance_id{2}, 4).value() == std::nullopt);
  CHECK(made->port().find_dispatch(dispatch_id{4}).value() == dispatch);
  CHECK(made->port().find_drill(5).value() == drill);
}

TEST_CASE("the report reads a stretch of time, oldest first, and no more than is wanted") {
  const auto made = make_book_under_test();
  for (int i = 0; i < 10; ++i) {
    press_row p{.id = press_id{static_cast<std::uint64_t>(100 - i)}, .home = home_id{1}, .gateway = box("box-1"), .known = t0 + i * 1s};
    auto e = event(static_cast<std::uint64_t>(i + 1), "A001", static_cast<std::uint16_t>(i + 1));
    e.made = t0 + i * 1s;
    REQUIRE(made->port().commit({p, e}));
  }
  const auto some = made->port().presses(t0 + 2s, t0 + 8s, 4).value();
  REQUIRE(some.size() == 4);
  CHECK(some.front().known == t0 + 2s);
  CHECK(some.back().known == t0 + 5s);
  CHECK(made->port().presses(t0 + 8s, t0 + 9s, 100).value().size() == 1);
  CHECK(made->port().events(t0, t0 + 5s, 100).value().size() == 5);
}

TEST_CASE("what is over leaves after its time; what is open never does") {
  const auto made = make_book_under_test();
  press_row over = full_press();
  over.closed = t0;
  press_row open = full_press();
  open.id = press_id{2};
  auto e = event(1, "A001", 77);
  e.state = guard_event_state::delivered;
  e.ended = t0;
  REQUIRE(made->port().commit({over, open, e, event(2, "A002", 1)}));
  REQUIRE(made->port().drop_old(t0 + emergency_history, emergency_rows_max));
  CHECK(made->port().find_press(over.id).value());
  REQUIRE(made->port().drop_old(t0 + emergency_history + 1s, emergency_rows_max));
  CHECK_FALSE(made->port().find_press(over.id).value());
  const auto s = loaded(*made);
  CHECK(s.presses.size() == 1);
  CHECK(s.events.size() == 1);
  CHECK(s.sequences.at("A001") == 77);         // numbers outlive the rows
}

TEST_CASE("of what is over only so many rows stay, the newest; what is open stays however old") {
  const auto made = make_book_under_test();
  const auto at = [](std::uint64_t n) { return t0 + 1s * static_cast<std::int64_t>(n); };
  emergency_batch batch;
  for (std::uint64_t n = 1; n <= 10; ++n) {
    const bool open = n == 2;                  // the oldest but one
    press_row p = full_press();
    p.id = press_id{n};
    p.known = at(n);
    if (!open) p.closed = at(n);
    batch.emplace_back(p);
    auto e = event(n, "A001", static_cast<std::uint16_t>(n));
    e.made = at(n);
    if (!open) e.state = guard_event_state::delivered, e.ended = at(n);
    batch.emplace_back(e);
    batch.emplace_back(dispatch_row{.id = dispatch_id{n}, .home = home_id{7}, .who = "a", .reason = "b", .asked = at(n),
                                    .accepted = open ? std::nullopt : std::optional{at(n)}});
    batch.emplace_back(drill_row{.request = n, .home = home_id{7}, .gateway = box("box-7"), .asked = at(n),
                                 .ended = open ? std::nullopt : std::optional{at(n)}});
    batch.emplace_back(alert_row{.home = home_id{7}, .appliance = appliance_id{1}, .since = static_cast<std::int32_t>(n),
                                 .begun = at(n), .ended = open ? std::nullopt : std::optional{at(n)}});
    auto m = mail_row();
    m.key.about = n;
    m.queued = at(n);
    if (!open) m.state = emergency_mail_state::sent;
    batch.emplace_back(m);
  }
  REQUIRE(made->port().commit(batch));
  REQUIRE(made->port().drop_old(t0 + 1h, 3));
  const auto stays = [](std::uint64_t n) { return n == 2 || n > 7; };
  for (std::uint64_t n = 1; n <= 10; ++n) {
    INFO(n);
    CHECK(made->port().find_press(press_id{n}).value().has_value() == stays(n));
    CHECK(made->port().find_dispatch(dispatch_id{n}).value().has_value() == stays(n));
    CHECK(made->port().find_drill(n).value().has_value() == stays(n));
    CHECK(made->port().find_alert(home_id{7}, appliance_id{1}, static_cast<std::int32_t>(n)).value().has_value() == stays(n));
  }
  CHECK(made->port().events(t0, t0 + 1h, 100).value().size() == 4);
  const auto s = loaded(*made);
  REQUIRE(s.mails.size() == 1);
  CHECK(s.mails[0].key.about == 2);
  REQUIRE(made->port().drop_old(t0 + 1h, 3));  // and again: nothing more
  CHECK(made->port().find_press(press_id{8}).value());
}
