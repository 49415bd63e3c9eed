// Goal: what the uplink says to a relay and believes of it: hello, records within their window, configuration, the end.
#include "tests/firmware/core/uplink_desk.hpp"

using namespace tomoshibi;
using namespace tomoshibi::firmware;

TEST_CASE("nothing is dialled before it is ready, nothing but hello is sent before welcome") {
  uplink_desk d;
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
  uplink_desk d;
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
  uplink_desk d;
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
  uplink_desk d;
  d.add(2);
  d.go_live();
  CHECK(d.words() == "records:1+2");
  d.hear(wire::ack{3});
  CHECK(d.words() == "bye close");
  CHECK(d.up->state() == uplink_state::idle);
  CHECK(d.log.held() == 2);
}

TEST_CASE("what does not belong ends the session with a bye") {
  uplink_desk d;
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
  uplink_desk d;
  d.add(1);
  d.connect();
  auto data = *wire::encode_frame(wire::welcome{1, 0, made, 0});
  const auto ping = *wire::encode_frame(wire::ping{9});
  data.insert(data.end(), ping.begin(), ping.end());
  for (const std::uint8_t b : data) d.hear_bytes(byte_view{&b, 1});
  CHECK(d.words() == "records:1+1 pong");
}

TEST_CASE("another protocol version: ten minutes; revoked, unknown, misnamed: an hour; else the usual back-off") {
  uplink_desk d;
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
      uplink_desk e;
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

TEST_CASE("the answer to a configuration waits until all that came before is durable") {
  uplink_desk d;
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
  uplink_desk d;
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
  uplink_desk d;
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
  uplink_desk d;
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
  uplink_desk d;
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
