// Goal: a connection gets in only as the gateway its certificate names; whatever breaks the protocol ends that connection
// alone, with one reason told and counted.
#include "tests/relay/core/relay_bench.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

struct bench_with_two : relay_bench {
  bench_with_two() {
    add_home(1);
    add_home(2);
    start();
    other = connect_live("box-2");
    (void)take_inbox(other);
  }
  session_id other;
  void check_other_lives() {
    from(other, wire::ping{5});
    const auto p = last_of<wire::pong>(other);
    REQUIRE(p);
    CHECK(p->nonce == 5);
    CHECK(p->wall == wall());
    CHECK_FALSE(closed(other));
  }
  void check_refused(session_id s, close_reason reason, wire::bye_reason told) {
    REQUIRE(closed(s) == reason);
    const auto b = last_of<wire::bye>(s);
    REQUIRE(b);
    CHECK(b->reason == told);
    CHECK(core->health().sessions_closed[static_cast<std::size_t>(reason)] == 1);
    CHECK(core->health().sessions == 1);
    check_other_lives();
  }
};

wire::hello hello_of(const std::string& name) {
  wire::hello h;
  h.gateway = name;
  return h;
}

bytes frame_of(const wire::message& m) { return wire::encode_frame(m).value(); }

}  // namespace

TEST_CASE("a known gateway is welcomed and gets its configuration if it has another one") {
  bench_with_two b;
  const session_id s = b.connect_live("box-1");
  const auto inbox = b.take_inbox(s);
  REQUIRE(inbox.size() == 2);
  const auto& w = std::get<wire::welcome>(inbox[0]);
  CHECK(w.acked_seq == 0);
  CHECK(w.wall == b.wall());
  CHECK(w.config_version == 1);
  CHECK(std::get<wire::config>(inbox[1]) == b.store.edit_directory().configs.at(home_id{1}));
  CHECK(b.core->line_up(box("box-1")));

  wire::hello has_it;
  has_it.config_version = 1;
  const session_id again = b.connect_live("box-1", has_it);
  CHECK(b.take_inbox(again).size() == 1);
}

TEST_CASE("who is not let in is told why, and nobody else notices") {
  bench_with_two b;
  SECTION("no such gateway") {
    b.check_refused(b.connect("box-9"), close_reason::unknown_gateway, wire::bye_reason::unknown_gateway);
  }
  SECTION("a name that cannot be one") {
    b.check_refused(b.connect("Robert'); DROP"), close_reason::unknown_gateway, wire::bye_reason::unknown_gateway);
  }
  SECTION("revoked") {
    b.store.edit_directory().gateways.at(box("box-1")).revoked = true;
    b.directory_changed();
    b.check_refused(b.connect("box-1"), close_reason::revoked, wire::bye_reason::revoked);
  }
  SECTION("an older certificate of the same name") {
    b.check_refused(b.connect("box-1", "cert-of-last-year"), close_reason::identity, wire::bye_reason::identity);
  }
  SECTION("never enrolled") {
    b.store.edit_directory().gateways.at(box("box-1")).certificate_sha256.clear();
    b.directory_changed();
    b.check_refused(b.connect("box-1"), close_reason::identity, wire::bye_reason::identity);
  }
  SECTION("another gateway's name in hello") {
    const session_id s = b.connect("box-1");
    b.from(s, hello_of("box-2"));
    b.check_refused(s, close_reason::identity, wire::bye_reason::identity);
  }
  SECTION("a version we do not speak") {
    const session_id s = b.connect("box-1");
    wire::hello h = hello_of("box-1");
    h.protocol_version = 2;
    b.from(s, h);
    b.check_refused(s, close_reason::protocol_version, wire::bye_reason::wrong_version);
  }
}

TEST_CASE("what breaks the protocol ends the session") {
  bench_with_two b;
  const session_id s = b.connect("box-1");
  const auto live = [&] { b.from(s, hello_of("box-1")); };
  SECTION("garbage at once") { b.bytes_from(s, as_bytes("GET / HTTP/1.1\r\nHost: relay\r\n\r\n")); }
  SECTION("garbage later") {
    live();
    b.bytes_from(s, bytes{0, 3, 0xff, 0xff, 0xff});
  }
  SECTION("too long a frame") {
    live();
    b.bytes_from(s, bytes{0xff, 0xff});
  }
  SECTION("an empty frame") { b.bytes_from(s, bytes{0, 0}); }
  SECTION("records before hello") {
    b.from(s, wire::records{.first_seq = 1, .items = {slot_record(b.slot(), {{1, slot_state::on}})}});
  }
  SECTION("ping before hello") { b.from(s, wire::ping{1}); }
  SECTION("an unknown kind before hello") { b.bytes_from(s, bytes{0, 3, 0xc2, 0x3e, 0x00}); }
  SECTION("hello twice") {
    live();
    live();
  }
  SECTION("what only a relay sends") {
    live();
    b.from(s, wire::ack{1});
  }
  SECTION("what belongs to the emergency lane") {
    live();
    b.from(s, wire::press{.id = press_id{1}, .button = "", .occurred = {}, .request = {}});
  }
  SECTION("the emergency lane's hello after hello") {
    live();
    b.from(s, wire::lane_hello{.gateway = "box-1", .firmware_version = ""});
  }
  SECTION("the emergency lane's hello instead of hello") { b.from(s, wire::lane_hello{.gateway = "box-1", .firmware_version = ""}); }
  SECTION("the state of a box") {
    live();
    b.from(s, wire::box_state{});
  }
  SECTION("a gap in the sequence") {
    live();
    b.from(s, wire::records{.first_seq = 2, .items = {slot_record(b.slot(), {{1, slot_state::on}})}});
  }
  b.check_refused(s, close_reason::malformed, wire::bye_reason::malformed);
  b.from(s, wire::ping{1});  // what was still on its way
  CHECK(b.take_inbox(s).empty());
}

TEST_CASE("a kind of message that a newer gateway knows is skipped") {
  bench_with_two b;
  const session_id s = b.connect_live("box-1");
  b.bytes_from(s, bytes{0, 3, 0xc2, 0x3e, 0x00});
  CHECK_FALSE(b.closed(s));
  (void)b.take_inbox(s);
  b.from(s, wire::ping{3});
  CHECK(b.last_of<wire::pong>(s));
}

TEST_CASE("bytes that come one by one are the same") {
  bench_with_two b;
  const session_id s = b.connect("box-1");
  bytes stream = frame_of(hello_of("box-1"));
  put_bytes(stream, frame_of(wire::records{.first_seq = 1, .items = {slot_record(b.slot(), {{1, slot_state::on}})}}));
  put_bytes(stream, frame_of(wire::ping{8}));
  for (std::uint8_t one : stream) b.bytes_from(s, byte_view{&one, 1});
  const auto inbox = b.take_inbox(s);
  REQUIRE(inbox.size() == 4);
  CHECK(std::get<wire::ack>(inbox[2]).acked_seq == 1);
  CHECK(std::get<wire::pong>(inbox[3]).nonce == 8);
}

TEST_CASE("a newer connection of a gateway replaces the older one") {
  bench_with_two b;
  const session_id first = b.connect_live("box-1");
  const session_id second = b.connect_live("box-1");
  CHECK(b.closed(first) == close_reason::replaced);
  CHECK(b.last_of<wire::bye>(first)->reason == wire::bye_reason::replaced);
  b.from(second, wire::records{.first_seq = 1, .items = {slot_record(b.slot(), {{1, slot_state::on}})}});
  CHECK(b.last_of<wire::ack>(second)->acked_seq == 1);
  b.hang_up(first);
  CHECK_FALSE(b.closed(second));
  b.check_other_lives();
}

TEST_CASE("an ack goes to the connection that lives when the commit is done") {
  bench_with_two b;
  b.commits_at_once = false;
  const session_id first = b.connect_live("box-1");
  b.from(first, wire::records{.first_seq = 1, .items = {slot_record(b.slot(), {{1, slot_state::on}})}});
  wire::hello h;
  h.next_seq = 2;
  const session_id second = b.connect_live("box-1", h);
  CHECK(b.last_of<wire::welcome>(second)->acked_seq == 0);
  while (!b.commits.empty()) b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(second)->acked_seq == 1);
  CHECK_FALSE(b.last_of<wire::ack>(first));
}

TEST_CASE("a connection without hello is closed after ten seconds, a silent one after a hundred") {
  bench_with_two b;
  b.hang_up(b.other);
  const session_id mute = b.connect("box-1");
  b.run_for(b.limits.hello_wait - 1ms);
  CHECK_FALSE(b.closed(mute));
  b.run_for(1ms);
  CHECK(b.closed(mute) == close_reason::no_hello);

  const session_id s = b.connect_live("box-1");
  b.run_for(b.limits.session_idle - 1ms);
  b.from(s, wire::ping{1});
  b.run_for(b.limits.session_idle - 1ms);
  CHECK_FALSE(b.closed(s));
  b.run_for(1ms);
  CHECK(b.closed(s) == close_reason::idle);
}

TEST_CASE("a session over its rate is closed, at the next minute it would not be") {
  relay_bench b;
  b.limits.session_frames_per_min = 10;
  b.add_home(1);
  b.start();
  const session_id s = b.connect_live("box-1");
  for (int i = 0; i < 9; ++i) b.from(s, wire::ping{1});
  CHECK_FALSE(b.closed(s));
  b.run_for(60s);
  for (int i = 0; i < 10; ++i) b.from(s, wire::ping{1});
  CHECK_FALSE(b.closed(s));
  b.from(s, wire::ping{1});
  CHECK(b.closed(s) == close_reason::overload);
}

TEST_CASE("a gateway that was closed for its rate gets no new minute by dialling again") {
  relay_bench b;
  b.limits.session_frames_per_min = 20;
  b.add_home(1);
  b.add_home(2);
  b.start();
  const session_id first = b.connect_live("box-1");
  for (int i = 0; i < 20; ++i) b.from(first, wire::ping{1});
  REQUIRE(b.closed(first) == close_reason::overload);
  const session_id again = b.connect_live("box-1");
  b.from(again, wire::ping{1});
  CHECK(b.closed(again) == close_reason::overload);
  const session_id other = b.connect_live("box-2");  // which costs nobody else anything
  for (int i = 0; i < 19; ++i) b.from(other, wire::ping{1});
  CHECK_FALSE(b.closed(other));
  b.run_for(60s);
  const session_id later = b.connect_live("box-1");
  for (int i = 0; i < 19; ++i) b.from(later, wire::ping{1});
  CHECK_FALSE(b.closed(later));
}

TEST_CASE("a connection that takes another's place takes over its rate") {
  relay_bench b;
  b.limits.session_frames_per_min = 20;
  b.add_home(1);
  b.start();
  const session_id first = b.connect_live("box-1");
  for (int i = 0; i < 15; ++i) b.from(first, wire::ping{1});
  const session_id second = b.connect_live("box-1");
  for (int i = 0; i < 3; ++i) b.from(second, wire::ping{1});
  CHECK_FALSE(b.closed(second));
  b.from(second, wire::ping{1});
  CHECK(b.closed(second) == close_reason::overload);
}

TEST_CASE("a gateway that dials again goes on counting, whichever way its connection ended") {
  for (int way = 0; way < 3; ++way) {
    CAPTURE(way);
    relay_bench b;
    b.limits.session_frames_per_min = 20;
    b.add_home(1);
    b.start();
    session_id s = b.connect_live("box-1");
    for (int i = 0; i < 15; ++i) b.from(s, wire::ping{1});
    const session_id former = s;
    if (way == 0) b.hang_up(former);
    if (way == 1) b.from(former, wire::bye{.reason = wire::bye_reason::shutdown, .text = {}});
    b.run_for(1s);
    s = b.connect_live("box-1");  // way 2: replaces
    REQUIRE_FALSE(b.closed(s));
    for (int i = 0; i < 4; ++i) b.from(s, wire::ping{1});
    CHECK(b.closed(s) == close_reason::overload);
    s = b.connect_live("box-1");
    b.from(s, wire::ping{1});
    CHECK(b.closed(s) == close_reason::overload);
    b.run_for(60s);
    s = b.connect_live("box-1");
    for (int i = 0; i < 15; ++i) b.from(s, wire::ping{1});
    CHECK_FALSE(b.closed(s));
  }
}

TEST_CASE("bytes are counted over connections too") {
  relay_bench b;
  b.limits.session_bytes_per_min = 1'000;
  b.add_home(1);
  b.start();
  std::optional<close_reason> why;
  for (int i = 0; i < 100 && why != close_reason::overload; ++i) {
    const session_id s = b.connect_live("box-1");
    b.from(s, wire::ping{1});
    why = b.closed(s);
    b.hang_up(s);
  }
  CHECK(why == close_reason::overload);
}

TEST_CASE("a gateway that dials without end is let in so often a minute, the others as before") {
  bench_with_two b;
  std::uint32_t in = 0;
  for (int i = 0; i < 500; ++i) {
    const session_id s = b.connect_live("box-1");
    in += !b.closed(s);
    b.hang_up(s);
    b.run_for(10ms);
  }
  CHECK(in <= b.limits.hellos_per_min);
  CHECK(in >= b.limits.hellos_per_min - 1);
  b.run_for(61s);
  CHECK_FALSE(b.closed(b.connect_live("box-1")));
}

TEST_CASE("half a frame does not keep a connection, however slowly the rest comes") {
  bench_with_two b;
  b.limits.session_idle = 1h;
  const session_id s = b.connect_live("box-1");
  const bytes ping = *wire::encode_frame(wire::ping{1});
  // Whole frames, each in two halves a while apart: well.
  for (int i = 0; i < 5; ++i) {
    b.bytes_from(s, byte_view{ping}.first(3));
    b.run_for(b.limits.frame_wait - 1ms);
    b.bytes_from(s, byte_view{ping}.subspan(3));
    REQUIRE_FALSE(b.closed(s));
  }
  // The end of one frame with the beginning of the next begins anew.
  b.bytes_from(s, byte_view{ping}.first(3));
  b.run_for(b.limits.frame_wait - 1ms);
  bytes end_and_begin(ping.begin() + 3, ping.end());
  end_and_begin.push_back(0);
  b.bytes_from(s, end_and_begin);
  b.run_for(b.limits.frame_wait - 1ms);
  REQUIRE_FALSE(b.closed(s));
  b.bytes_from(s, byte_view{ping}.subspan(1));
  // One byte a second of a frame that is long enough.
  const bytes slow{0x01, 0x00};
  b.bytes_from(s, byte_view{slow}.first(1));
  for (millis since{}; since < b.limits.frame_wait - 1s; since += 1s) {
    b.run_for(1s);
    b.bytes_from(s, byte_view{slow}.last(1));
    REQUIRE_FALSE(b.closed(s));
  }
  b.run_for(1s);
  CHECK(b.closed(s) == close_reason::idle);
}

TEST_CASE("more connections than allowed are refused") {
  relay_bench b;
  b.limits.sessions_max = 2;
  b.add_home(1);
  b.add_home(2);
  b.add_home(3);
  b.start();
  const session_id one = b.connect_live("box-1");
  (void)b.connect_live("box-2");
  CHECK(b.closed(b.connect("box-3")) == close_reason::overload);
  b.hang_up(one);
  CHECK_FALSE(b.closed(b.connect("box-3")));
}

TEST_CASE("revoking closes a live session, a new configuration is pushed, a new certificate ends the old one's session") {
  bench_with_two b;
  const session_id s = b.connect_live("box-1");
  (void)b.take_inbox(s);
  b.store.edit_directory().configs.at(home_id{1}).version = 2;
  b.directory_changed();
  const auto c = b.last_of<wire::config>(s);
  REQUIRE(c);
  CHECK(c->version == 2);
  b.directory_changed();
  CHECK(b.take_inbox(s).empty());

  b.store.edit_directory().gateways.at(box("box-1")).certificate_sha256 = "new";
  b.directory_changed();
  CHECK(b.closed(s) == close_reason::identity);
  const session_id fresh = b.connect("box-1", "new");
  b.from(fresh, hello_of("box-1"));
  CHECK_FALSE(b.closed(fresh));
  b.store.edit_directory().gateways.at(box("box-1")).revoked = true;
  b.directory_changed();
  CHECK(b.closed(fresh) == close_reason::revoked);
  b.check_other_lives();
}

TEST_CASE("random bytes on many sessions never disturb a good one") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    bench_with_two b;
    for (int i = 0; i < 30; ++i) {
      const session_id s = random.chance(500) ? b.connect_live("box-1") : b.connect("box-1");
      bytes noise(random.below(200) + 1);
      for (auto& one : noise) one = static_cast<std::uint8_t>(random.next());
      if (random.chance(500)) noise[0] = 0;
      b.bytes_from(s, noise);
    }
    b.check_other_lives();
  }
}
