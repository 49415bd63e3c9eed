// Goal: lanes, lines, drills, troubles and requests for a visit do what emergency_desk.hpp says, and nothing twice.
#include "tests/relay/core/emergency/desk_bench.hpp"

#include "protocol/dc09/press_signal.hpp"
#include "relay/core/emergency/line_watch.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

std::size_t events_of(const desk_bench& b, dc09::event what, dc09::edge how = dc09::edge::begun) {
  return static_cast<std::size_t>(std::ranges::count_if(b.list, [=](const auto& e) { return e.what.what == what && e.what.how == how; }));
}

// A lane that pings as a gateway does.
void stand(desk_bench& b, session_id lane, millis length) {
  for (millis gone{0}; gone < length; gone += 20s) {
    b.run_for(20s);
    if (!b.closed(lane)) b.from(lane, wire::ping{.nonce = 1});
  }
}

}  // namespace

TEST_CASE("a lane is refused as the device channel refuses, and only lane messages are taken") {
  desk_bench b;
  b.add_home(1);
  b.start();
  const auto refused = [&b](const std::string& cn, const std::string& certificate, const wire::message& m) {
    static std::uint64_t next = 1'000;
    const session_id id{next++};
    desk_output out;
    b.desk->on_lane_open(b.now, b.wall(), id, {cn, certificate, "test"}, out);
    b.desk->on_lane_bytes(b.now, b.wall(), id, *wire::encode_frame(m), out);
    for (const auto& a : out)
      if (const auto* c = std::get_if<relay::close>(&a)) return std::optional{c->reason};
    return std::optional<close_reason>{};
  };
  const wire::lane_hello good{.gateway = "box-1", .boot = 1, .firmware_version = "1"};
  CHECK(refused("box-9", "cert-of-box-9", good) == close_reason::unknown_gateway);
  CHECK(refused("box-1", "another", good) == close_reason::identity);
  CHECK(refused("box-1", "cert-of-box-1", wire::lane_hello{.gateway = "box-2", .boot = 1, .firmware_version = "1"}) ==
        close_reason::identity);
  CHECK(refused("box-1", "cert-of-box-1", wire::lane_hello{.protocol_version = 9, .gateway = "box-1", .boot = 1,
                                                           .firmware_version = "1"}) == close_reason::protocol_version);
  CHECK(refused("box-1", "cert-of-box-1", wire::ack{.acked_seq = 1}) == close_reason::malformed);
  CHECK(refused("box-1", "cert-of-box-1", a_press(1)) == close_reason::malformed);  // before hello
  CHECK_FALSE(refused("box-1", "cert-of-box-1", good));
}

TEST_CASE("a newer lane of a gateway replaces the older; a silent one is closed") {
  desk_bench b;
  b.add_home(1);
  b.start();
  const auto older = b.connect(1);
  const auto newer = b.connect(1);
  CHECK(b.closed(older) == close_reason::replaced);
  b.run_for(51s);
  CHECK(b.closed(newer) == close_reason::idle);
}

TEST_CASE("a flood of new presses ends the lane") {
  desk_bench b;
  b.add_home(1);
  b.start();
  const auto lane = b.connect(1);
  for (std::uint64_t i = 1; i <= 100; ++i) b.from(lane, a_press(i));
  CHECK(b.closed(lane) == close_reason::overload);
  CHECK(b.list.size() == 64);
}

TEST_CASE("a line that is lost is told after 90 s, and restored once when it has stood") {
  desk_bench b;
  b.add_home(1);
  b.start();
  auto lane = b.connect(1);
  stand(b, lane, 100s);
  b.hang_up(lane);
  b.run_for(80s);
  CHECK(events_of(b, dc09::event::path_failed) == 0);
  b.run_for(11s);
  CHECK(events_of(b, dc09::event::path_failed) == 1);
  lane = b.connect(1);                         // comes and goes: not restored
  b.run_for(10s);
  b.hang_up(lane);
  b.run_for(5min);
  CHECK(events_of(b, dc09::event::path_failed, dc09::edge::restored) == 0);
  b.cut();
  b.start();
  b.run_for(5min);
  CHECK(events_of(b, dc09::event::path_failed) == 1);  // known over a restart
  lane = b.connect(1);
  stand(b, lane, 100s);
  CHECK(events_of(b, dc09::event::path_failed, dc09::edge::restored) == 1);
  CHECK(b.desk->health().lines_lost == 0);
}

TEST_CASE("a line that comes back while the centre is silent is told as lost and as back, in that order; unheard, as neither") {
  const bool heard = GENERATE(true, false);
  desk_bench b;
  b.add_home(1);
  b.centre_answers = false;
  b.centre_set = heard;                        // without one nothing leaves the relay
  b.start();
  auto lane = b.connect(1);
  stand(b, lane, 100s);
  b.hang_up(lane);
  b.run_for(95s);
  lane = b.connect(1);
  stand(b, lane, 100s);
  CHECK(b.desk->health().lines_lost == 0);
  b.cut();
  b.centre_answers = b.centre_set = true;
  b.start();
  b.run_for(1min);
  CHECK(events_of(b, dc09::event::path_failed) == std::size_t{heard});
  CHECK(events_of(b, dc09::event::path_failed, dc09::edge::restored) == std::size_t{heard});
}

TEST_CASE("after a start each home has 90 s; a home whose lane never came is not watched") {
  desk_bench b;
  b.add_home(1);
  b.add_home(2);
  b.start();
  b.connect(1);
  b.cut();
  b.start();
  b.run_for(89s);
  CHECK(events_of(b, dc09::event::path_failed) == 0);
  b.run_for(2s);
  CHECK(events_of(b, dc09::event::path_failed) == 1);
  b.run_for(1h);
  CHECK(events_of(b, dc09::event::path_failed) == 1);
}

TEST_CASE("a loss that the centre could not hear of before it was over is not told") {
  desk_bench b;
  b.add_home(1);
  b.limits.events_out_max = 0;                 // nothing leaves
  b.start();
  auto lane = b.connect(1);
  b.hang_up(lane);
  b.run_for(100s);
  CHECK(b.desk->health().lines_lost == 1);
  lane = b.connect(1);
  stand(b, lane, 80s);
  CHECK(b.desk->health().lines_lost == 0);
  CHECK(b.desk->health().events_given_up == 1);
  for (const auto& [id, e] : b.book.all_events())
    if (e.what.what == dc09::event::path_failed) CHECK(e.state == guard_event_state::given_up);
}

TEST_CASE("one daily test for each home that has an account and a line") {
  desk_bench b;
  b.add_home(1);
  b.add_home(2, false);
  b.add_home(3);                               // its lane never comes
  b.start();
  const auto one = b.connect(1);
  const auto two = b.connect(2);
  for (int round = 0; round < 3 * 24 * 60 * 3; ++round) {
    b.run_for(20s);
    b.from(one, wire::ping{.nonce = 1});
    b.from(two, wire::ping{.nonce = 1});
  }
  CHECK(events_of(b, dc09::event::periodic_test) >= 3);
  CHECK(events_of(b, dc09::event::periodic_test) <= 4);
  for (const auto& e : b.list) CHECK(e.account == "A001");
  CHECK(test_time_of(home_id{1}) != test_time_of(home_id{3}));
}

TEST_CASE("a drill is asked of the gateway, is a test event, and ends with the answer") {
  desk_bench b;
  b.add_home(1);
  b.start();
  const auto lane = b.connect(1);
  desk_output out;
  const auto begun = b.desk->begin_drill(b.now, b.wall(), home_id{1}, out);
  REQUIRE(begun);
  CHECK(b.book.all_drills().contains(begun->request));
  CHECK_FALSE(b.desk->begin_drill(b.now, b.wall(), home_id{1}, out));  // one at a time
  bool asked = false;
  for (const auto& a : out) asked = asked || std::holds_alternative<relay::send>(a);
  CHECK(asked);
  auto press = a_press(0xabc, press_source::drill);
  press.request = begun->request;
  b.from(lane, press);
  REQUIRE(b.list.size() == 1);
  CHECK(b.list[0].what.what == dc09::event::manual_test);
  CHECK(b.book.all_drills().at(begun->request).answered);
  CHECK(b.book.all_presses().at(press_id{0xabc}).test);
}

TEST_CASE("a drill ends by itself: unanswered by the gateway, or by the centre") {
  desk_bench b;
  b.add_home(1);
  b.centre_answers = false;
  b.start();
  const auto lane = b.connect(1);
  desk_output out;
  const auto begun = b.desk->begin_drill(b.now, b.wall(), home_id{1}, out);
  REQUIRE(begun);
  auto press = a_press(0xabc, press_source::drill);
  press.request = begun->request;
  b.from(lane, press);
  CHECK(b.with_link.size() == 1);
  b.run_for(10min);
  b.run_for(1s);
  for (const auto& [id, e] : b.with_link) CHECK(e.what.what != dc09::event::manual_test);
  CHECK(b.book.all_drills().at(begun->request).ended);
  CHECK_FALSE(b.book.all_drills().at(begun->request).answered);
  CHECK(b.book.all_presses().at(press_id{0xabc}).closed);
  CHECK(b.mails_of(emergency_notice::drill_unanswered) == 1);
  CHECK(b.desk->health().presses_open == 0);
}

TEST_CASE("no drill, and nothing marked as a test, ever becomes an event that moves a guard") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    prng random{seed};
    desk_bench b;
    b.add_home(1);
    b.start();
    const auto lane = b.connect(1);
    std::map<press_id, bool> real;
    for (std::uint64_t i = 1; i <= 20; ++i) {
      const auto source = static_cast<press_source>(random.between(1, 4));
      real.emplace(press_id{i}, source != press_source::drill);
      if (random.chance(500)) {
        auto p = a_press(i, source);
        if (random.chance(500)) p.request = random.next() | 1;
        b.from(lane, p);
      } else {
        auto r = a_report(i, random.chance(500) ? press_path::none : press_path::relay);
        r.source = source;
        b.from(lane, r);
      }
    }
    INFO("seed " << seed);
    for (const auto& e : b.list) {
      const auto known = real.find(press_id{std::stoull(e.reference, nullptr, 16)});
      if (known != real.end()) CHECK(dc09::is_test(e.what.what) != known->second);
    }
  }
}

TEST_CASE("troubles are a state: told once, and their end once, over a restart too") {
  desk_bench b;
  b.add_home(1);
  b.start();
  auto lane = b.connect(1);
  const wire::box_state two{.troubles = {{trouble_kind::button_silent, "a"}, {trouble_kind::button_silent, "b"},
                                     {trouble_kind::mains_lost, ""}}};
  b.from(lane, two);
  b.from(lane, two);
  CHECK(events_of(b, dc09::event::supervision_lost) == 1);  // one line of the centre for both buttons
  CHECK(events_of(b, dc09::event::mains_lost) == 1);
  CHECK(b.mails_of(emergency_notice::trouble) == 3);
  b.cut();
  b.start();
  lane = b.connect(1);
  b.from(lane, wire::box_state{.troubles = {{trouble_kind::button_silent, "b"}}});
  CHECK(events_of(b, dc09::event::supervision_lost, dc09::edge::restored) == 0);
  CHECK(events_of(b, dc09::event::mains_lost, dc09::edge::restored) == 1);
  b.from(lane, wire::box_state{});
  CHECK(events_of(b, dc09::event::supervision_lost, dc09::edge::restored) == 1);
  CHECK(b.mails_of(emergency_notice::trouble_ended) == 3);
  CHECK(b.desk->health().troubles_open == 0);
}

// Found by a box with a loose plug: it was closed out until the hour ended, and its presses with it.
TEST_CASE("troubles that come and go too often wait; the lane stands, and the last state is taken within the hour") {
  desk_bench b;
  b.add_home(1);
  b.start();
  const auto lane = b.connect(1);
  for (int i = 0; i < 400; ++i)
    b.from(lane, i % 2 == 0 ? wire::box_state{.troubles = {{trouble_kind::mains_lost, ""}}} : wire::box_state{});
  b.from(lane, wire::box_state{.troubles = {{trouble_kind::battery_low, ""}}});
  CHECK_FALSE(b.closed(lane));
  CHECK(events_of(b, dc09::event::mains_lost) <= 70);
  CHECK(events_of(b, dc09::event::battery_low) == 0);
  b.from(lane, a_press(0xabc));
  CHECK(events_of(b, dc09::event::personal_emergency) == 1);
  b.run_for(61min);
  CHECK(events_of(b, dc09::event::battery_low) == 1);
  CHECK(b.desk->health().troubles_open == 1);
}

// Found by reading: the centre kept the trouble of a box that had been taken away for ever.
TEST_CASE("troubles of a gateway that is revoked are over, and the centre hears it") {
  desk_bench b;
  b.add_home(1);
  b.start();
  b.from(b.connect(1), wire::box_state{.troubles = {{trouble_kind::mains_lost, ""}, {trouble_kind::direct_path_down, ""}}});
  REQUIRE(b.desk->health().troubles_open == 2);
  directory d = b.world.all;
  for (auto& [name, gateway] : d.gateways) gateway.revoked = true;
  b.world = known_world{std::move(d)};
  b.directory_changed();
  CHECK(b.desk->health().troubles_open == 0);
  CHECK(events_of(b, dc09::event::mains_lost, dc09::edge::restored) == 1);
  CHECK(b.mails_of(emergency_notice::trouble_ended) == 0);
}

TEST_CASE("an alert of the three-day rule is told once, where the provider wants it") {
  desk_bench b;
  b.add_home(1);
  b.add_home(2);
  directory d = b.world.all;
  d.guards[home_id{1}].send_inactivity = true;
  b.world = known_world{std::move(d)};
  b.start();
  const alert_key one{home_id{1}, appliance_id{3}, 77};
  desk_output out;
  for (int i = 0; i < 2; ++i) {
    b.desk->on_alerts(b.now, b.wall(), {one, {home_id{2}, appliance_id{1}, 5}}, out);
    b.turn();
  }
  CHECK(events_of(b, dc09::event::inactivity) == 1);
  b.cut();
  b.start();
  b.desk->on_alert(b.now, b.wall(), one, true, out);
  b.turn();
  CHECK(events_of(b, dc09::event::inactivity) == 1);
  b.desk->on_alert(b.now, b.wall(), one, false, out);
  b.turn();
  CHECK(events_of(b, dc09::event::inactivity, dc09::edge::restored) == 1);
  b.desk->on_alert(b.now, b.wall(), one, true, out);    // it was told before
  b.turn();
  CHECK(events_of(b, dc09::event::inactivity) == 1);
}

TEST_CASE("the family's request goes to the centre as what it is, once it is confirmed") {
  desk_bench b;
  b.add_home(1);
  b.centre_answers = false;
  b.start();
  desk_output out;
  wanted_dispatch w{.home = home_id{1}, .who = "daughter", .reason = "no answer since morning"};
  CHECK(b.desk->begin_dispatch(b.now, b.wall(), w, out).error().code == errc::refused);
  w.confirmed = true;
  for (const char* blank : {"", "  ", "\u3000"}) {
    CHECK_FALSE(b.desk->begin_dispatch(b.now, b.wall(), {.home = home_id{1}, .who = blank, .reason = "x", .confirmed = true}, out));
    CHECK_FALSE(b.desk->begin_dispatch(b.now, b.wall(), {.home = home_id{1}, .who = "x", .reason = blank, .confirmed = true}, out));
  }
  const auto begun = b.desk->begin_dispatch(b.now, b.wall(), w, out);
  REQUIRE(begun);
  CHECK(b.book.all_dispatches().contains(begun->id));
  CHECK(b.desk->begin_dispatch(b.now, b.wall(), w, out).error().code == errc::refused);  // on its way
  guard_event_row sent;
  for (const auto& a : out)
    if (const auto* g = std::get_if<guard_submit>(&a)) sent = g->what;
  CHECK(sent.what == dc09::signal{dc09::event::general_alarm, dc09::edge::begun, 0, dc09::zone_family});
  CHECK(sent.urgent);
  CHECK_FALSE(dc09::is_test(sent.what.what));
  b.run_for(30s);
  CHECK(b.mails_of(emergency_notice::dispatch_not_accepted) == 1);
  b.desk->on_guard_delivered(b.now, b.wall(), sent.id, 0, out);
  b.turn();
  CHECK(b.book.all_dispatches().at(begun->id).accepted);
}

TEST_CASE("no guard centre and no account are two troubles, and each says what to do") {
  desk_bench b;
  b.add_home(1);
  b.add_home(2, false);
  b.centre_set = GENERATE(true, false);
  b.start();
  desk_output out;
  const std::string wanted = b.centre_set ? "home 2 has no account at the guard centre; give it one: tomoshibi-ctl guard set 2"
                                          : "no guard centre is set up: name its receivers in relay.toml (guard.receivers)";
  const auto refused = [&wanted](const auto& done) {
    CHECK(done.error().code == errc::refused);
    CHECK_THAT(done.error().detail, Catch::Matchers::ContainsSubstring(wanted));
  };
  refused(b.desk->begin_drill(b.now, b.wall(), home_id{2}, out));
  refused(b.desk->begin_test(b.now, b.wall(), home_id{2}, out));
  refused(b.desk->begin_dispatch(b.now, b.wall(), {.home = home_id{2}, .who = "a", .reason = "b", .confirmed = true}, out));
  CHECK(b.desk->begin_test(b.now, b.wall(), home_id{1}, out).has_value() == b.centre_set);
  CHECK(b.book.all_drills().empty());
  CHECK(b.book.all_dispatches().empty());
}

TEST_CASE("what waits follows its home to another account") {
  desk_bench b;
  b.add_home(1);
  b.centre_answers = false;
  b.start();
  const auto lane = b.connect(1);
  b.from(lane, a_press(0xabc));
  REQUIRE(b.with_link.size() == 1);
  directory d = b.world.all;
  d.guards[home_id{1}].account = "BEEF";
  b.world = known_world{std::move(d)};
  b.directory_changed();
  REQUIRE(b.with_link.size() == 1);
  CHECK(b.with_link.begin()->second.account == "BEEF");
  b.centre_takes(b.with_link.begin()->first);
  b.turn();
  CHECK(b.book.all_presses().at(press_id{0xabc}).stage == press_stage::accepted);
}
