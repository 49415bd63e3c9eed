// Goal: the lane always comes back, whatever the relay, the line or a stranger in between does; while a press is open it does
// so within a second, and a line that has died is found.
#include "firmware/core/lane.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <utility>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

struct bench {
  firmware::lane lane;
  mono_time now = mono_from_ms(1'000'000);
  std::vector<link_action> out;
  lane_news news;
  link_number link = 0;        // of the last open
  bool dialled = false;        // since the last look

  explicit bench(std::uint64_t seed = 1)
      : lane({.id = *gateway_id::parse("box-1"), .boot = 7, .firmware_version = "0.1.0", .seed = seed, .dials = true}, null_log()) {
    lane.on_start(now);
    settle();
  }
  std::vector<wire::message> sent;
  bool closed = false;
  void settle() {
    for (const link_action& a : out) {
      if (const auto* o = std::get_if<link_open>(&a)) link = o->link, dialled = true, closed = false;
      if (std::holds_alternative<link_close>(a)) closed = true;
      if (const auto* s = std::get_if<link_send>(&a)) sent.push_back(*wire::decode_payload(byte_view{s->data}.subspan(2)));
    }
    out.clear();
  }
  void pass(millis time) {
    const mono_time end = now + time;
    while (lane.next_wake() <= end) {
      now = std::max(now, lane.next_wake());
      lane.on_wake(now, out, news);
      REQUIRE((lane.next_wake() > now || lane.state() != lane_state::idle));
      settle();
    }
    now = end;
  }
  void open() {
    lane.on_link_open(now, link, out);
    settle();
  }
  void hear(const wire::message& m) { hear_bytes(*wire::encode_frame(m)); }
  void hear_bytes(byte_view data) {
    lane.on_link_bytes(now, link, data, out, news);
    settle();
  }
  void fail() {
    lane.on_link_closed(now, link, {errc::net_closed, ""}, news);
    settle();
  }
  void come_up() {
    pass(lane_backoff_max);
    REQUIRE(lane.state() == lane_state::connecting);
    open();
    hear(wire::lane_welcome{});
    REQUIRE(lane.up());
  }
  template <class M>
  std::size_t count_sent() const {
    return static_cast<std::size_t>(std::ranges::count_if(sent, [](const auto& m) { return std::holds_alternative<M>(m); }));
  }
  // Until the next dial.
  millis wait_for_dial() {
    dialled = false;
    const mono_time from = now;
    while (!dialled && now - from < 1h) pass(10ms);
    return now - from;
  }
};

}  // namespace

TEST_CASE("it dials at once, says who it is and nothing else, and is up with the welcome") {
  bench b;
  b.pass(0ms);
  CHECK(b.dialled);
  b.open();
  REQUIRE(b.sent.size() == 1);
  CHECK((b.sent[0] == wire::message{wire::lane_hello{.gateway = "box-1", .boot = 7, .firmware_version = "0.1.0"}}));
  CHECK_FALSE(b.lane.up());
  b.hear(wire::lane_welcome{});
  CHECK(b.lane.up());
  CHECK(b.news.up);
  b.hear(wire::press_news{.id = press_id{9}, .stage = press_stage::received});
  b.hear(wire::drill_request{5});
  CHECK((b.news.stages == std::vector{wire::press_news{.id = press_id{9}, .stage = press_stage::received}}));
  CHECK(b.news.drills == std::vector<std::uint64_t>{5});
  b.hear(wire::ping{4});
  CHECK((b.sent.back() == wire::message{wire::pong{.nonce = 4, .wall = {}}}));
}

TEST_CASE("the welcome tells the time, and how long it was waited for") {
  bench b;
  b.pass(0ms);
  b.open();
  b.pass(30ms);
  SECTION("told") {
    b.hear(wire::lane_welcome{wall_from_ms(1'790'000'000'000)});
    REQUIRE(b.news.time);
    CHECK(b.news.time->told == wall_from_ms(1'790'000'000'000));
    CHECK(b.news.time->round_trip == 30ms);
    CHECK(b.news.time->heard == b.now);
  }
  SECTION("a relay that does not know it tells none") {
    b.hear(wire::lane_welcome{});
    CHECK(b.lane.up());
    CHECK_FALSE(b.news.time);
  }
}

TEST_CASE("a quiet lane is kept warm, and a dead one found") {
  bench b;
  b.come_up();
  b.sent.clear();
  b.pass(lane_ping_after - 1ms);
  CHECK(b.count_sent<wire::ping>() == 0);
  b.pass(1ms);
  CHECK(b.count_sent<wire::ping>() == 1);
  b.pass(lane_silence_max - lane_ping_after - 1ms);
  CHECK(b.lane.up());
  b.pass(1ms);
  CHECK(b.closed);
  CHECK(b.news.down);
}

TEST_CASE("half-open while a press is open: found in twelve seconds, counted from when it began to matter") {
  bench b;
  b.come_up();
  b.pass(lane_silence_max - 5s);
  b.lane.set_urgent(b.now, true);
  b.pass(4s);
  CHECK(b.lane.up());
  b.pass(1s);
  CHECK_FALSE(b.lane.up());
  bench c;
  c.come_up();
  c.pass(1s);
  c.lane.set_urgent(c.now, true);
  c.pass(lane_silence_urgent - 1ms);
  CHECK(c.lane.up());
  c.pass(1ms);
  CHECK(c.closed);
}

TEST_CASE("the back-off doubles to ten seconds; while a press is open it is a second; a press dials at once") {
  bench b;
  b.pass(0ms);
  std::vector<millis> waits;
  for (int i = 0; i < 12; ++i) {
    b.fail();
    waits.push_back(b.wait_for_dial());
  }
  CHECK(waits[0] <= lane_backoff_first + 10ms);
  for (const millis w : waits) CHECK(w <= lane_backoff_max + 10ms);
  CHECK(waits.back() >= lane_backoff_max / 2);
  b.fail();
  b.lane.set_urgent(b.now, true);
  CHECK(b.wait_for_dial() <= 10ms);
  for (int i = 0; i < 12; ++i) {
    b.fail();
    CHECK(b.wait_for_dial() <= lane_backoff_urgent + 10ms);
  }
}

TEST_CASE("an attempt that hangs is given up; with a press open first after four seconds, then later: a slow line gets through") {
  bench b;
  b.pass(0ms);
  b.pass(lane_patience_max - 1ms);
  CHECK_FALSE(b.closed);
  b.pass(1ms);
  CHECK(b.closed);
  bench c;
  c.lane.set_urgent(c.now, true);
  c.pass(0ms);
  for (const millis patience : {4'000ms, 8'000ms, 16'000ms, 20'000ms, 20'000ms}) {
    CHECK(c.lane.next_wake() - c.now == patience);
    c.pass(patience - 1ms);
    CHECK_FALSE(c.closed);
    c.pass(1ms);
    CHECK(c.closed);
    c.pass(c.lane.next_wake() - c.now);
    REQUIRE(c.lane.state() == lane_state::connecting);
  }
}

TEST_CASE("a foreign goodbye, whatever its reason, ends one link and no more; with a press open it is dialled within a second") {
  for (int reason = 1; reason <= static_cast<int>(wire::bye_reason::unknown_gateway); ++reason) {
    CAPTURE(reason);
    for (const bool urgent : {false, true}) {
      bench b;
      b.come_up();
      b.lane.set_urgent(b.now, urgent);
      b.hear(wire::bye{.reason = static_cast<wire::bye_reason>(reason), .text = ""});
      CHECK_FALSE(b.lane.up());
      CHECK(b.news.down);
      CHECK(b.wait_for_dial() <= (urgent ? lane_backoff_urgent : lane_backoff_refused) + 10ms);
    }
  }
  bench before_welcome;
  before_welcome.pass(0ms);
  before_welcome.open();
  before_welcome.hear(wire::bye{.reason = wire::bye_reason::revoked, .text = ""});
  CHECK(before_welcome.wait_for_dial() >= lane_backoff_refused / 2);
  CHECK_FALSE(before_welcome.news.down);
}

TEST_CASE("what does not belong here ends the link") {
  bench b;
  b.come_up();
  SECTION("a second welcome") { b.hear(wire::lane_welcome{}); }
  SECTION("of the device channel") { b.hear(wire::ack{1}); }
  SECTION("what only a gateway sends") { b.hear(wire::press{.id = press_id{1}, .button = "", .occurred = {}, .request = {}}); }
  SECTION("a frame of nothing") { b.hear_bytes(bytes{0, 0}); }
  SECTION("garbage") { b.hear_bytes(bytes{0, 3, 0xff, 0xff, 0xff}); }
  CHECK(b.closed);
  CHECK(b.news.down);
  CHECK(b.count_sent<wire::bye>() == 1);
  CHECK(b.lane.counts().malformed == 1);
}

TEST_CASE("news before the welcome, or of an older link, are not taken") {
  bench b;
  b.pass(0ms);
  b.open();
  b.hear(wire::press_news{.id = press_id{9}, .stage = press_stage::accepted});
  CHECK(b.news.stages.empty());
  CHECK(b.closed);
  const link_number old = b.link;
  b.come_up();
  b.lane.on_link_bytes(b.now, old, *wire::encode_frame(wire::press_news{.id = press_id{9}, .stage = press_stage::accepted}), b.out, b.news);
  b.lane.on_link_closed(b.now, old, {errc::net_closed, ""}, b.news);
  CHECK(b.news.stages.empty());
  CHECK(b.lane.up());
}

TEST_CASE("not answered: the link is dropped and the next one dialled at once") {
  bench b;
  b.come_up();
  b.lane.redial(b.now, b.out);
  b.settle();
  CHECK(b.closed);
  b.dialled = false;
  b.pass(0ms);
  CHECK(b.dialled);
}

TEST_CASE("whatever happens, it comes back: a relay that works is reached within the longest wait") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    bench b{seed};
    bool urgent = false;
    for (int step = 0; step < 60; ++step) {
      switch (random.below(10)) {
        case 0: b.open(); break;
        case 1: b.hear(wire::lane_welcome{}); break;
        case 2: b.fail(); break;
        case 3: b.hear(wire::bye{.reason = static_cast<wire::bye_reason>(random.between(1, 9)), .text = ""}); break;
        case 4: {
          bytes garbage(random.below(30));
          for (auto& c : garbage) c = static_cast<std::uint8_t>(random.next());
          b.hear_bytes(garbage);
          break;
        }
        case 5: b.lane.set_urgent(b.now, urgent = random.chance(500)); break;
        case 6: b.lane.redial(b.now, b.out); b.settle(); break;
        case 7: b.lane.on_relay_changed(b.now, random.chance(500), b.out, b.news); b.settle(); break;
        case 8: b.hear(wire::pong{.nonce = 3, .wall = {}}); break;
        default: b.pass(millis{random.below(30'000)}); break;
      }
      REQUIRE(b.lane.next_wake() != never);
    }
    // Quiet: whatever hangs is given up, and the next attempt is answered.
    if (b.lane.up()) continue;
    const mono_time from = b.now;
    b.pass(lane_patience_max);
    while (b.lane.state() != lane_state::connecting && b.now - from < 10min) b.pass(100ms);
    CHECK(b.now - from <= lane_patience_max + (urgent ? lane_backoff_urgent : lane_backoff_refused) + lane_patience_max);
    b.open();
    b.hear(wire::lane_welcome{});
    CHECK(b.lane.up());
  }
}

TEST_CASE("stopped: it says goodbye and dials no more; without a relay it never does") {
  bench b;
  b.come_up();
  b.lane.on_stop(b.now, b.out);
  b.settle();
  CHECK(b.count_sent<wire::bye>() == 1);
  CHECK(b.closed);
  CHECK(b.lane.next_wake() == never);
  firmware::lane alone({.id = *gateway_id::parse("box-1"), .firmware_version = "", .dials = false}, null_log());
  alone.on_start(mono_from_ms(1));
  CHECK(alone.next_wake() == never);
}
