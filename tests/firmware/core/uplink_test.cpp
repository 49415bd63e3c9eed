#include "firmware/core/uplink.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr wall_at made = wall_from_ms(1'700'000'000'000);

// The uplink with its outbox; what it does is read as a list of words.
struct desk {
  memory_outbox disk{5};
  memory_outbox_store store{disk};
  outbox log{store, {}, null_log()};
  std::optional<uplink> up;
  gateway_output out;
  uplink_news news;
  mono_time now = mono_from_ms(10'000);
  link_number link = 0;

  explicit desk(std::uint64_t seed = 1, const keep_alive& line = {}, const std::string& name = "box-1") {
    gateway_setup setup;
    setup.id = *gateway_id::parse(name);
    setup.line = line;
    setup.seed = seed;
    REQUIRE(log.load(now));
    up.emplace(setup, log, null_log());
  }
  void add(int count) {
    for (int i = 0; i < count; ++i) log.append({wire::event{wire::event_kind::started, i}, made});
    REQUIRE(log.commit(now, made));
    up->pump(now, out);
  }
  std::vector<wire::message> sent() {
    std::vector<wire::message> messages;
    for (const auto& action : out.link) {
      if (const auto* send = std::get_if<link_send>(&action)) {
        const auto message = wire::decode_payload(byte_view{send->data}.subspan(2));
        REQUIRE(message);
        messages.push_back(*message);
      }
    }
    return messages;
  }
  std::string words() {
    static constexpr const char* names[] = {"hello", "welcome", "records", "ack", "config", "applied", "ping", "pong", "bye"};
    std::string text;
    for (const auto& action : out.link) {
      if (!text.empty()) text += ' ';
      if (const auto* open = std::get_if<link_open>(&action)) {
        link = open->link;
        text += "open";
      } else if (const auto* send = std::get_if<link_send>(&action)) {
        const auto message = wire::decode_payload(byte_view{send->data}.subspan(2));
        REQUIRE(message);
        text += names[message->index()];
        if (const auto* records = std::get_if<wire::records>(&*message)) {
          text += ":" + std::to_string(records->first_seq) + "+" + std::to_string(records->items.size());
        }
      } else {
        text += "close";
      }
    }
    out.clear();
    return text;
  }
  void hear(const wire::message& message) {
    const auto frame = wire::encode_frame(message);
    REQUIRE(frame);
    hear_bytes(*frame);
  }
  void hear_bytes(byte_view data) {
    up->on_link_bytes(now, link, data, out, news);
    up->pump(now, out);
  }
  std::string wake() {
    now = up->next_wake();
    up->on_wake(now, out);
    return words();
  }
  void connect() {
    up->on_ready(now);
    REQUIRE(wake() == "open");
    up->on_link_open(now, link, {}, out);
    REQUIRE(words() == "hello");
  }
  void go_live(record_seq acked = 0) {
    connect();
    hear(wire::welcome{1, acked, made, 0});
    REQUIRE(up->state() == uplink_state::live);
  }
};

}  // namespace

TEST_CASE("nothing is dialled before it is ready, nothing but hello is sent before welcome") {
  desk d;
  CHECK(d.up->next_wake() == never);
  d.add(3);
  d.connect();
  d.up->pump(d.now, d.out);
  CHECK(d.words().empty());
  d.hear(wire::welcome{1, 1, made, 0});
  CHECK(d.words() == "records:2+2");
  CHECK(d.log.oldest() == 2);
  REQUIRE(d.news.time);
  CHECK(d.news.time->told == made);
}

TEST_CASE("hello says what the log holds") {
  desk d;
  d.add(3);
  d.log.acknowledge(2);
  d.up->on_ready(d.now);
  REQUIRE(d.wake() == "open");
  d.up->on_link_open(d.now, d.link, {7, made, true}, d.out);
  const auto hello = std::get<wire::hello>(d.sent().at(0));
  CHECK(hello.gateway == "box-1");
  CHECK(hello.epoch == outbox_epoch{5});
  CHECK(hello.oldest_seq == 3);
  CHECK(hello.next_seq == 4);
  CHECK(hello.config_version == 7);
  CHECK(hello.wall == made);
  CHECK(hello.clock_synced);
}

TEST_CASE("at most eight records frames are in flight; an ack opens the window") {
  desk d;
  d.add(400);  // 32 in a frame
  d.go_live();
  CHECK(d.words() == "records:1+32 records:33+32 records:65+32 records:97+32 records:129+32 records:161+32 "
                     "records:193+32 records:225+32");
  d.hear(wire::ack{40});
  CHECK(d.words() == "records:257+32");
  d.hear(wire::ack{40});
  CHECK(d.words().empty());
  d.hear(wire::ack{256});
  CHECK(d.words() == "records:289+32 records:321+32 records:353+32 records:385+16");
  d.hear(wire::ack{400});
  CHECK(d.log.held() == 0);
  d.hear(wire::ack{3});  // an old one changes nothing
  CHECK(d.log.acknowledged() == 400);
}

TEST_CASE("an acknowledgement of what was not sent breaks the protocol") {
  desk d;
  d.add(2);
  d.go_live();
  CHECK(d.words() == "records:1+2");
  d.hear(wire::ack{3});
  CHECK(d.words() == "bye close");
  CHECK(d.up->state() == uplink_state::idle);
  CHECK(d.log.held() == 2);
}

TEST_CASE("what does not belong ends the session with a bye") {
  desk d;
  SECTION("an ack before welcome") {
    d.connect();
    d.hear(wire::ack{0});
  }
  SECTION("a second welcome") {
    d.go_live();
    d.hear(wire::welcome{1, 0, made, 0});
  }
  SECTION("a message that only gateways send") {
    d.go_live();
    d.hear(wire::records{1, {{wire::event{}, made}}});
  }
  SECTION("a frame of length 0") {
    d.go_live();
    d.hear_bytes(bytes{0, 0});
  }
  SECTION("garbage in a frame") {
    d.go_live();
    d.hear_bytes(bytes{0, 2, 0xff, 0xff});
  }
  CHECK(d.words() == "bye close");
  CHECK(d.up->counts().malformed == 1);
}

TEST_CASE("bytes arrive in any pieces") {
  desk d;
  d.add(1);
  d.connect();
  auto data = *wire::encode_frame(wire::welcome{1, 0, made, 0});
  const auto ping = *wire::encode_frame(wire::ping{9});
  data.insert(data.end(), ping.begin(), ping.end());
  for (const std::uint8_t b : data) d.hear_bytes(byte_view{&b, 1});
  CHECK(d.words() == "records:1+1 pong");
}

TEST_CASE("another protocol version: ten minutes; revoked, unknown, misnamed: an hour; else the usual back-off") {
  desk d;
  const auto waited = [&d] { return d.up->next_wake() - d.now; };
  SECTION("welcome of another version") {
    d.connect();
    d.hear(wire::welcome{2, 0, made, 0});
    CHECK(d.words() == "bye close");
    CHECK(waited() >= 5min);
    CHECK(waited() <= 10min);
  }
  SECTION("bye wrong_version") {
    d.connect();
    d.hear(wire::bye{wire::bye_reason::wrong_version, "2"});
    CHECK(d.words() == "close");
    CHECK(waited() >= 5min);
    CHECK(waited() <= 10min);
  }
  SECTION("refused for good") {
    for (const auto reason : {wire::bye_reason::revoked, wire::bye_reason::unknown_gateway, wire::bye_reason::identity}) {
      desk e;
      e.connect();
      e.hear(wire::bye{reason, ""});
      CHECK(e.words() == "close");
      CHECK(e.up->next_wake() - e.now >= 30min);
      CHECK(e.up->next_wake() - e.now <= 60min);
    }
  }
  SECTION("replaced") {
    d.go_live();
    d.hear(wire::bye{wire::bye_reason::replaced, ""});
    CHECK(d.words() == "close");
    CHECK(waited() <= 2s);
    CHECK(d.up->counts().sessions_lost == 1);
  }
}

TEST_CASE("back-off doubles to five minutes with full jitter and starts over after a minute live") {
  millis longest{0};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    desk d{seed};
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
  desk d;
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

TEST_CASE("the answer to a configuration waits until all that came before is durable") {
  desk d;
  d.go_live();
  d.hear(wire::config{});
  CHECK(d.news.config);
  d.log.append({wire::event{wire::event_kind::config_applied, 1}, made});
  d.up->answer_config({1, true, {}});
  d.up->pump(d.now, d.out);
  CHECK(d.words().empty());
  REQUIRE(d.log.commit(d.now, made));
  d.up->pump(d.now, d.out);
  CHECK(d.words() == "applied records:1+1");
}

TEST_CASE("records given up under a session: it begins anew so that hello can say so") {
  desk d;
  outbox_limits small;
  small.records_max = 300;
  small.drop_count = 290;
  outbox log{d.store, small, null_log()};
  REQUIRE(log.load(d.now));
  gateway_setup setup;
  setup.id = *gateway_id::parse("box-1");
  d.up.emplace(setup, log, null_log());
  for (int i = 0; i < 300; ++i) log.append({wire::event{wire::event_kind::started, i}, made});
  REQUIRE(log.commit(d.now, made));
  d.go_live();
  d.words();
  log.append({wire::event{wire::event_kind::started, 1}, made});
  REQUIRE(log.commit(d.now, made));
  d.up->pump(d.now, d.out);
  CHECK(d.words() == "bye close");
}

TEST_CASE("another certificate or address is dialled with at once; a session ends only if its address may be gone") {
  desk d;
  SECTION("idle, however long the back-off") {
    d.up->on_ready(d.now);
    d.up->on_relay_changed(d.now, false, d.out);
    CHECK(d.up->next_wake() == d.now);
    CHECK(d.wake() == "open");
  }
  SECTION("connecting") {
    d.up->on_ready(d.now);
    REQUIRE(d.wake() == "open");
    d.up->on_relay_changed(d.now, false, d.out);
    CHECK(d.words() == "close");
    CHECK(d.wake() == "open");
  }
  SECTION("live, certificate") {
    d.go_live();
    d.up->on_relay_changed(d.now, false, d.out);
    CHECK(d.words().empty());
    CHECK(d.up->state() == uplink_state::live);
  }
  SECTION("live, addresses") {
    d.go_live();
    d.up->on_relay_changed(d.now, true, d.out);
    CHECK(d.words() == "bye close");
    CHECK(d.wake() == "open");
  }
  SECTION("stopped") {
    d.up->on_relay_changed(d.now, true, d.out);
    CHECK(d.up->next_wake() == never);
  }
}

TEST_CASE("stop says goodbye and dials no more; a gateway without a relay never dials") {
  desk d;
  SECTION("live") {
    d.go_live();
    d.up->on_stop(d.now, d.out);
    CHECK(d.words() == "bye close");
  }
  SECTION("connecting") {
    d.up->on_ready(d.now);
    REQUIRE(d.wake() == "open");
    d.up->on_stop(d.now, d.out);
    CHECK(d.words() == "close");
  }
  SECTION("idle") {
    d.up->on_ready(d.now);
    d.up->on_stop(d.now, d.out);
    CHECK(d.words().empty());
  }
  SECTION("no relay") {
    gateway_setup setup;
    setup.dials = false;
    d.up.emplace(setup, d.log, null_log());
    d.up->on_ready(d.now);
  }
  CHECK(d.up->next_wake() == never);
  CHECK(d.up->state() == uplink_state::off);
}

TEST_CASE("a log begun anew restarts the session") {
  desk d;
  SECTION("live") {
    d.go_live();
    d.up->restart(d.now, d.out);
    CHECK(d.words() == "bye close");
  }
  SECTION("connecting: hello has not been said") {
    d.up->on_ready(d.now);
    REQUIRE(d.wake() == "open");
    d.up->restart(d.now, d.out);
    CHECK(d.words().empty());
  }
}

// Goal: gateways that close a slot at one instant send it each at a time of its own, within the bound, the same at each slot;
// whatever else there is to say is not kept waiting.
TEST_CASE("a closed slot waits for the gateway's own moment") {
  std::set<millis> delays;
  for (int i = 0; i < 40; ++i) {
    desk d{1, {.upload_spread = 20s}, "box-" + std::to_string(i)};
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
  desk d{1, {.upload_spread = 20s}, "box-3"};
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
  desk d{1, {.renew_after = 20h}};
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
  desk d{1, {.renew_after = 1h}};
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
