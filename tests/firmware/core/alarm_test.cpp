// Goal: joined, the parts carry a press from the button to the report and back, whatever order things happen in, and dial at once.
#include "firmware/core/alarm.hpp"

#include "firmware/ports/memory_emergency_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <utility>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

struct bench {
  memory_emergency medium;
  memory_emergency_store store{medium};
  std::optional<firmware::alarm> alarm;
  mono_time now = mono_from_ms(1'000'000);
  std::uint64_t seed = 1;
  std::vector<wire::message> sent;          // since the last look
  std::vector<press> direct;
  link_number link = 0;
  panel_word word = panel_word::idle;

  bench() { start(); }
  void start() {
    alarm.emplace(alarm_setup{.lane = {.id = *gateway_id::parse("box-1"), .firmware_version = "", .seed = seed}, .presses = {},
                              .button_period = 900s, .seed = seed},
                  store, null_log());
    ++seed;
    link = 0;
    turn([this](alarm_output& o) { alarm->on_start(now, o); });
  }
  template <class F>
  void turn(F f) {
    alarm_output o;
    f(o);
    alarm->on_stored(now);
    carry_out(o);
    alarm_output after;
    alarm->on_shown(now, after);
    carry_out(after);
  }
  void carry_out(const alarm_output& o) {
    for (const link_action& a : o.link) {
      if (const auto* open = std::get_if<link_open>(&a)) link = open->link;
      if (const auto* s = std::get_if<link_send>(&a)) sent.push_back(*wire::decode_payload(byte_view{s->data}.subspan(2)));
    }
    direct.insert(direct.end(), o.to_direct.begin(), o.to_direct.end());
    if (o.panel) word = o.panel->word;
  }
  void pass(millis time) {
    const mono_time end = now + time;
    while (alarm->next_wake() <= end) {
      now = std::max(now, alarm->next_wake());
      turn([this](alarm_output& o) { alarm->on_wake(now, {}, o); });
    }
    now = end;
  }
  void hear(const wire::message& m) {
    turn([&](alarm_output& o) { alarm->on_link_bytes(now, {}, link, *wire::encode_frame(m), o); });
  }
  void come_up() {
    while (alarm->lane() != lane_state::connecting) pass(10ms);
    turn([this](alarm_output& o) { alarm->on_link_open(now, link, o); });
    hear(wire::lane_welcome{});
  }
  void push_button() {
    drivers::reading r;
    r.device = "fe00/000301";
    r.eoj = 0x000301;
    r.active = r.announced = true;
    r.polled = false;
    turn([&](alarm_output& o) { alarm->on_reading(now, wall_from_ms(9), r, o); });
  }
  template <class M>
  std::vector<M> all() const {
    std::vector<M> out;
    for (const auto& m : sent)
      if (const auto* p = std::get_if<M>(&m)) out.push_back(*p);
    return out;
  }
};

}  // namespace

TEST_CASE("from the button to the report, through the lane") {
  bench b;
  b.come_up();
  CHECK(b.all<wire::box_state>().size() == 1);
  b.push_button();
  REQUIRE(b.all<wire::press>().size() == 1);
  REQUIRE(b.medium.durable.open.size() == 1);
  const press_id id = b.all<wire::press>()[0].id;
  CHECK(b.word == panel_word::calling);
  b.hear(wire::press_news{.id = id, .stage = press_stage::received});
  CHECK(b.word == panel_word::received);
  b.hear(wire::press_news{.id = id, .stage = press_stage::accepted});
  CHECK(b.word == panel_word::accepted);
  REQUIRE(b.all<wire::press_report>().size() == 1);
  b.hear(wire::press_news{.id = id, .stage = press_stage::closed});
  b.pass(shown_after);
  CHECK(b.word == panel_word::idle);
  CHECK(b.medium.durable.open.empty());
  CHECK(b.direct.empty());
}

TEST_CASE("the lane is down when it is pressed: dialled at once, sent with the welcome, directly after five seconds") {
  bench b;
  b.pass(0ms);
  for (int i = 0; i < 20; ++i) {
    b.turn([&](alarm_output& o) { b.alarm->on_link_closed(b.now, b.link, {errc::net_closed, ""}, o); });
    while (b.alarm->lane() != lane_state::connecting) b.pass(100ms);
  }
  b.turn([&](alarm_output& o) { b.alarm->on_link_closed(b.now, b.link, {errc::net_closed, ""}, o); });
  b.push_button();
  b.pass(0ms);
  CHECK(b.alarm->lane() == lane_state::connecting);
  b.pass(5s);
  CHECK(b.direct.size() == 1);
  b.come_up();
  CHECK(b.all<wire::press>().size() == 1);
  b.turn([&](alarm_output& o) { b.alarm->on_direct_accepted(b.now, b.direct[0].id, o); });
  REQUIRE(b.all<wire::press_report>().size() == 1);
  CHECK(b.all<wire::press_report>()[0].path == press_path::direct);
}

TEST_CASE("an unanswered press: another lane, and the press again") {
  bench b;
  b.come_up();
  b.push_button();
  b.pass(lane_answer_max);
  CHECK(b.alarm->lane() == lane_state::connecting);
  b.come_up();
  CHECK(b.all<wire::press>().size() == 2);
}

TEST_CASE("a drill of the relay, a button of the box, troubles of both, over a restart") {
  bench b;
  b.come_up();
  b.hear(wire::drill_request{44});
  REQUIRE(b.all<wire::press>().size() == 1);
  CHECK(b.all<wire::press>()[0].request == 44);
  b.turn([&](alarm_output& o) { b.alarm->on_box_button(b.now, {}, "gpiochip0:5", true, button_heard::announced, o); });
  REQUIRE(b.all<wire::press>().size() == 2);
  CHECK(b.all<wire::press>()[1].source == press_source::box);
  b.turn([&](alarm_output& o) { b.alarm->on_trouble(b.now, trouble_kind::direct_path_down, {}, true, o); });
  CHECK(b.all<wire::box_state>().back().troubles.size() == 1);
  b.pass(1s);
  b.start();
  b.come_up();
  CHECK(b.alarm->presses().open() == 2);
  CHECK(b.alarm->known().count() == 1);
}

TEST_CASE("a relay that talks nonsense does not touch a press") {
  bench b;
  b.come_up();
  b.push_button();
  const press_id id = b.all<wire::press>()[0].id;
  b.hear(wire::press_news{.id = press_id{std::to_underlying(id) ^ 5}, .stage = press_stage::accepted});
  b.hear(wire::press_news{.id = id, .stage = press_stage::closed});
  CHECK(b.word == panel_word::calling);
  b.hear(wire::ack{1});
  CHECK(b.alarm->lane() == lane_state::idle);
  CHECK(b.medium.durable.open.size() == 1);
  b.pass(1s);
  b.come_up();
  CHECK(b.all<wire::press>().size() == 2);
}

TEST_CASE("stopped: goodbye, and what is open is in the store") {
  bench b;
  b.come_up();
  b.push_button();
  b.turn([&](alarm_output& o) { b.alarm->on_stop(b.now, o); });
  CHECK(b.all<wire::bye>().size() == 1);
  CHECK(b.medium.durable.open.size() == 1);
  CHECK(b.medium.durable.buttons == std::vector<known_button>{{"fe00/000301", true}});
  CHECK(b.alarm->next_wake() == never);
}
