// The way of a press in the gateway under a hostile relay, hosts that announce anything, a failing store and power cuts.
//
// Whatever it is told: hello comes first on a link and nothing before the welcome but it, a goodbye ends it, nothing goes to a link that is
// not there; a press is called accepted only if the relay or the direct path said so of its own name; what was durable and is not accepted
// is still in the store; the panel is told changes only, says that the guard centre has it only after somebody said so, and has light
// and words for whatever it is told; and it always knows when to wake.
#include "firmware/core/alarm.hpp"
#include "firmware/ports/memory_emergency_store.hpp"
#include "firmware/ports/panel_words.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"

#include <algorithm>
#include <memory>
#include <set>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr int actions_max = 300;
constexpr int wakes_max = 2'000;

class trial {
public:
  explicit trial(fuzz::input in) : in_(in) { start(); }

  void run() {
    for (int i = 0; i < actions_max && in_.left(); ++i) act();
    turn([this](alarm_output& o) { box_->on_stop(now_, o); });
    TOMO_REQUIRE(box_->next_wake() == never);
    TOMO_REQUIRE(checks_failed() == 0);
  }

private:
  void start() {
    ++starts_;
    const lane_setup lane{.id = *gateway_id::parse("box-1"), .firmware_version = "", .seed = starts_};
    box_ = std::make_unique<firmware::alarm>(alarm_setup{.lane = lane, .presses = {}, .button_period = 900s, .seed = starts_},
                                             store_, null_log());
    link_ = 0;
    open_ = false;
    shown_ = {};
    turn([this](alarm_output& o) { box_->on_start(now_, o); });
  }

  template <class F>
  void turn(F f) {
    alarm_output out;
    f(out);
    box_->on_stored(now_);
    hear(out);
    alarm_output after;
    box_->on_shown(now_, after);
    hear(after);
    for (const press& p : medium_.durable.open)
      TOMO_REQUIRE(p.stage < press_stage::accepted || accepted_.contains(p.id));
  }

  void hear(const alarm_output& out) {
    for (const link_action& action : out.link) {
      if (const auto* open = std::get_if<link_open>(&action)) {
        TOMO_REQUIRE(open->link == link_ + 1);
        link_ = open->link;
        open_ = greeted_ = false;
      } else if (const auto* sent = std::get_if<link_send>(&action)) {
        TOMO_REQUIRE(open_ && sent->link == link_);
        const auto m = wire::decode_payload(byte_view{sent->data}.subspan(2));
        TOMO_REQUIRE(m.has_value());
        TOMO_REQUIRE(std::holds_alternative<wire::lane_hello>(*m) != greeted_ || std::holds_alternative<wire::bye>(*m));
        greeted_ = true;
        if (const auto* p = std::get_if<wire::press>(&*m)) names_.push_back(p->id);
      } else {
        open_ = false;
      }
    }
    for (const press& p : out.to_direct) names_.push_back(p.id);
    if (out.panel) see(*out.panel);
  }

  // What the person in the room makes of it.
  void see(const panel_view& view) {
    TOMO_REQUIRE(view != shown_);
    shown_ = view;
    const bool idle = view.word == panel_word::idle;
    if (view.word == panel_word::accepted) TOMO_REQUIRE(!accepted_.empty());
    if (idle) TOMO_REQUIRE(!view.test);
    for (const auto language : {panel_language::japanese, panel_language::english})
      TOMO_REQUIRE(voice_of(view, language).empty() == idle);
    const panel_signal signal = signal_of(view);
    TOMO_REQUIRE((signal.call == pulse_off && signal.answer == pulse_off) == idle);
    TOMO_REQUIRE((signal.fault == pulse_on) == view.not_saved);
    if (view.test) TOMO_REQUIRE(signal.buzzer == pulse_off);
    if (view.word == panel_word::not_delivered && !view.test) TOMO_REQUIRE(signal.buzzer != pulse_off && signal.call != pulse_off);
  }

  press_id some_name() {
    if (names_.empty() || in_.flag()) return press_id{in_.number() | 1};
    return names_[in_.below(static_cast<std::uint32_t>(names_.size()))];
  }

  void say(const wire::message& m) {
    if (!open_) return;
    const auto frame = wire::encode_frame(m);
    if (!frame) return;
    turn([&](alarm_output& o) { box_->on_link_bytes(now_, {}, link_, *frame, o); });
  }

  void act() {
    switch (in_.below(14)) {
      case 0: return pass(millis{std::int64_t{1} << in_.below(22)});
      case 1:
        if (box_->lane() != lane_state::connecting) return;
        open_ = true;
        greeted_ = false;
        return turn([this](alarm_output& o) { box_->on_link_open(now_, link_, o); });
      case 2: return say(wire::lane_welcome{});
      case 3: {
        const wire::press_news news{.id = some_name(), .stage = in_.any_of(press_stage::closed)};
        if (open_ && news.stage == press_stage::accepted) accepted_.insert(news.id);
        return say(news);
      }
      case 4: return say(wire::drill_request{in_.below(6) + 1u});
      case 5: return say(wire::bye{.reason = in_.any_of(wire::bye_reason::unknown_gateway), .text = ""});
      case 6: return garbage_in();
      case 7:
        open_ = false;
        return turn([this](alarm_output& o) { box_->on_link_closed(now_, link_, {errc::net_closed, ""}, o); });
      case 8:
      case 9: return reading();
      case 10: {
        const press_id name = some_name();
        accepted_.insert(name);
        return turn([&](alarm_output& o) { box_->on_direct_accepted(now_, name, o); });
      }
      case 11:
        medium_.fail_from = medium_.writes + 1;
        medium_.fail_count = in_.below(8);
        medium_.loads_fail = in_.flag();
        return;
      case 12: return start();
      default: {
        const auto kind = in_.any_of(trouble_kind::direct_path_down);
        const std::string button = in_.text(70);
        const bool on = in_.flag();
        return turn([&](alarm_output& o) { box_->on_trouble(now_, kind, button, on, o); });
      }
    }
  }

  void garbage_in() {
    if (!open_) return;
    const byte_view garbage = in_.part(60);
    turn([&](alarm_output& o) { box_->on_link_bytes(now_, {}, link_, garbage, o); });
  }

  void reading() {
    drivers::reading r;
    r.device = "fe0" + std::to_string(in_.below(80)) + (in_.flag() ? "/000301" : "/000401");
    r.eoj = 0x000301;
    r.announced = in_.flag();
    if (in_.flag()) r.active = in_.flag();
    else r.doubted = in_.flag();
    turn([&](alarm_output& o) { box_->on_reading(now_, wall_from_ms(5), r, o); });
  }

  void pass(millis time) {
    const mono_time end = now_ + time;
    for (int i = 0; box_->next_wake() <= end; ++i) {
      TOMO_REQUIRE(i < wakes_max + time.count() / 50);
      now_ = std::max(now_, box_->next_wake());
      turn([this](alarm_output& o) { box_->on_wake(now_, {}, o); });
    }
    now_ = end;
  }

  fuzz::input in_;
  memory_emergency medium_;
  memory_emergency_store store_{medium_};
  std::unique_ptr<firmware::alarm> box_;
  mono_time now_ = mono_from_ms(1'000'000);
  std::uint64_t starts_ = 0;
  link_number link_ = 0;
  bool open_ = false;
  bool greeted_ = false;
  std::vector<press_id> names_;
  std::set<press_id> accepted_;     // that somebody called accepted
  panel_view shown_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial{fuzz::input{data, size}}.run();
  return 0;
}
