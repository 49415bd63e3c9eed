// Goal: when the uplink dials, pings, gives up, sends a lone slot, and begins a long session anew.
#include "tests/firmware/core/uplink_desk.hpp"

#include <set>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

TEST_CASE("back-off doubles to five minutes with full jitter and starts over after a minute live") {
  millis longest{0};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    uplink_desk d{seed};
    d.up->on_ready(d.now);
    millis limit = 1s;
    for (int i = 0; i < 15; ++i) {
      CHECK(d.up->next_wake() - d.now <= limit);
      if (i > 0) limit = std::min<millis>(limit * 2, 300s);
      REQUIRE(d.wake() == "open");
      d.up->on_link_closed(d.now, d.link, {errc::net_unreachable, {}});
      longest = std::max(longest, d.up->next_wake() - d.now);
      if (i == 0) limit = 1s;
    }
    REQUIRE(d.wake() == "open");
    d.up->on_link_open(d.now, d.link, {}, d.out);
    d.words();
    d.hear(wire::welcome{1, 0, made, 0});
    d.now += 60s;
    d.up->on_link_closed(d.now, d.link, {errc::net_closed, {}});
    CHECK(d.up->next_wake() - d.now <= 1s);
  }
  CHECK(longest <= 300s);
  CHECK(longest > 250s);
}

TEST_CASE("time limits: connecting, welcome, silence; pings keep the line warm") {
  uplink_desk d;
  SECTION("no connection") {
    d.up->on_ready(d.now);
    REQUIRE(d.wake() == "open");
    CHECK(d.up->next_wake() == d.now + connect_limit);
    CHECK(d.wake() == "close");
  }
  SECTION("no welcome") {
    d.connect();
    CHECK(d.up->next_wake() == d.now + welcome_limit);
    CHECK(d.wake() == "close");
  }
  SECTION("ping, pong with the time, then silence") {
    d.go_live();
    d.news = {};
    CHECK(d.up->next_wake() == d.now + keep_alive{}.ping_after);
    d.now = d.up->next_wake();
    d.up->on_wake(d.now, d.out);
    const auto ping = std::get<wire::ping>(d.sent().at(0));
    d.words();
    d.now += 2s;
    d.hear(wire::pong{ping.nonce + 1, made});
    CHECK_FALSE(d.news.time);
    d.hear(wire::pong{ping.nonce, made});
    REQUIRE(d.news.time);
    CHECK(d.news.time->round_trip == 2s);
    const auto heard = d.now;
    CHECK(d.wake() == "ping");
    CHECK(d.wake() == "ping");
    CHECK(d.wake() == "bye close");
    CHECK(d.now == heard + keep_alive{}.silence_limit);
    CHECK(d.up->counts().sessions_lost == 1);
  }
  SECTION("waking too early does nothing") {
    d.go_live();
    d.up->on_wake(d.now, d.out);
    CHECK(d.words().empty());
  }
}

// Goal: gateways that close a slot at one instant send it each at a time of its own, within the bound, the same at each slot;
// whatever else there is to say is not kept waiting.
TEST_CASE("a closed slot waits for the gateway's own moment") {
  std::set<millis> delays;
  for (int i = 0; i < 40; ++i) {
    uplink_desk d{1, {.upload_spread = 20s}, "box-" + std::to_string(i)};
    d.go_live();
    std::optional<millis> delay;
    for (int slot = 0; slot < 3; ++slot) {
      d.up->on_slot_closed(d.now);
      const mono_time closed = d.now;
      d.add(1);
      std::string said = d.words();
      while (said.find("records") == std::string::npos) {
        d.now = d.up->next_wake();
        d.up->on_wake(d.now, d.out);
        d.up->pump(d.now, d.out);
        said = d.words();
        REQUIRE(d.now - closed <= 20s);
      }
      if (!delay) delay = d.now - closed;
      CHECK(d.now - closed == *delay);
      d.hear(wire::ack{d.log.last()});
      d.words();
      d.now += 900s - *delay;
      d.hear(wire::pong{0, {}});
      d.words();
    }
    delays.insert(*delay);
  }
  CHECK(delays.size() >= 35);
  CHECK(*delays.begin() < 4s);
  CHECK(*delays.rbegin() > 16s);
}

TEST_CASE("nothing but a lone slot is kept waiting") {
  uplink_desk d{1, {.upload_spread = 20s}, "box-3"};
  SECTION("a slot of before the session") {
    d.up->on_slot_closed(d.now);
    d.add(1);
    d.go_live();
    d.up->pump(d.now, d.out);
  }
  SECTION("a slot behind one that has not gone yet") {
    d.go_live();
    d.log.append({wire::event{wire::event_kind::started, 1}, made});
    d.up->on_slot_closed(d.now);
    d.add(1);
  }
  SECTION("something urgent behind a slot") {
    d.go_live();
    d.up->on_slot_closed(d.now);
    d.add(1);
    CHECK(d.words().find("records") == std::string::npos);
    d.up->hurry();
    d.add(1);
  }
  CHECK(d.words().find("records") != std::string::npos);
}

// Goal: a session that stands for long is begun again in order, when nothing is on its way, with the certificate.
TEST_CASE("a session is renewed after its time") {
  uplink_desk d{1, {.renew_after = 20h}};
  d.go_live();
  const mono_time began = d.now;
  std::string said;
  while (said.find("bye") == std::string::npos) {
    d.now = d.up->next_wake();
    d.up->on_wake(d.now, d.out);
    said = d.words();
    if (said == "ping") d.hear_bytes(*wire::encode_frame(wire::pong{0, {}}));
    REQUIRE(d.now - began <= 28h);
  }
  CHECK(d.now - began >= 20h);
  CHECK(said == "bye close");
  CHECK(d.up->counts().sessions_lost == 0);
  const mono_time left = d.now;
  d.now = d.up->next_wake();
  CHECK(d.now - left <= 1s);
  d.up->on_wake(d.now, d.out);
  REQUIRE(d.out.link.size() == 1);
  CHECK(std::get<link_open>(d.out.link[0]).with_certificate);
}

TEST_CASE("a session is not renewed while records are on their way, and the next dial after a loss resumes") {
  uplink_desk d{1, {.renew_after = 1h}};
  d.go_live();
  d.add(1);
  CHECK(d.words() == "records:1+1");
  const mono_time began = d.now;
  while (d.now - began < 2h) {
    d.now = d.up->next_wake();
    d.up->on_wake(d.now, d.out);
    REQUIRE(d.words().find("bye") == std::string::npos);
    d.hear(wire::pong{0, {}});
    d.words();
  }
  d.up->on_link_closed(d.now, d.link, {errc::net_closed, ""});
  d.now = d.up->next_wake();
  d.up->on_wake(d.now, d.out);
  REQUIRE(d.out.link.size() == 1);
  CHECK_FALSE(std::get<link_open>(d.out.link[0]).with_certificate);
}
