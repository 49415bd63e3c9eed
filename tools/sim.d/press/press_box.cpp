#include "tools/sim.d/press/press_box.hpp"

#include "firmware/core/direct_event.hpp"
#include "protocol/wire/message_reader.hpp"

namespace tomoshibi::sim {
namespace {

using firmware::panel_word;
constexpr wall_at calendar_start = wall_from_ms(1'775'001'600'000);  // 2026-04-01T00:00Z
constexpr millis released_after = 2s;
constexpr millis undelivered_by = 31s;     // 30 s and a turn
constexpr std::uint64_t disk_never_mended = UINT64_MAX / 2;

}  // namespace

wall_at press_wall(mono_time t) { return calendar_start + t.time_since_epoch(); }
gateway_id press_gateway(std::uint32_t home) { return *gateway_id::parse("box-" + std::to_string(home)); }

press_box::press_box(std::uint32_t home, const surroundings& around)
    : home_(home), clock_(around.clock), checker_(around.checker), random_(around.seed), has_direct_(around.direct),
      believes_all_(around.believes_all) {}

// ---- power

void press_box::power_on() {
  if (on() || clock_.now() < back_at_) return;
  ++life_;
  shown_ = {};
  pressed_ = false;
  store_ = std::make_unique<firmware::memory_emergency_store>(disk_);
  alarm_ = std::make_unique<firmware::alarm>(
      firmware::alarm_setup{.lane = {.id = press_gateway(home_), .boot = life_, .firmware_version = "sim",
                                     .seed = random_.next(), .dials = true},
                            .presses = {.direct_after = has_direct_ ? 5'000ms : 0ms},
                            .button_period = 0ms,
                            .seed = random_.next()},
      *store_, null_log());
  dc09::sender_settings line;
  line.receivers.emplace_back();
  sender_ = std::make_unique<dc09::sender>(std::move(line));
  for (const auto& p : disk_.durable.open) watch(p.id, p.test);
  turn([this](firmware::alarm_output& out) { alarm_->on_start(clock_.now(), out); });
}

void press_box::power_off(millis length) {
  back_at_ = std::max(back_at_, clock_.now() + length);
  clock_.at(back_at_, [this] { power_on(); });
  if (!on()) return;
  ++cuts_;
  ++life_;
  alarm_.reset();
  sender_.reset();
  store_.reset();
  direct_open_.clear();
  watched_.clear();
  wake_ = never;
  cut_after_ = 0;
  for (const press_id id : seen_)
    if (!saved_.contains(id)) checker_.on_lost_unsaved(id);
  lane_->lose(false, true);
  direct_line_->lose(false, true);
}

bool press_box::does() {
  if (!pressed_ || cut_after_ == 0 || --cut_after_ > 0) return true;
  power_off(20s);
  return false;
}

void press_box::fill_disk(bool full) {
  disk_.fail_from = full ? disk_.writes + 1 : 0;
  disk_.fail_count = full ? disk_never_mended : 0;
}

// ---- turns

template <class F>
void press_box::turn(F f) {
  if (!on()) return;
  firmware::alarm_output out;
  f(out);
  see_new_presses();
  if (!does()) return;
  alarm_->on_stored(clock_.now());
  carry_out(out);
  if (!on()) return;
  firmware::alarm_output after;
  alarm_->on_shown(clock_.now(), after);
  carry_out(after);
  if (on()) arm();
}

void press_box::carry_out(const firmware::alarm_output& out) {
  for (const auto& action : out.link) {
    if (const auto* open = std::get_if<firmware::link_open>(&action)) {
      link_ = open->link;
      lane_->dial();
    } else if (const auto* send = std::get_if<firmware::link_send>(&action)) {
      wire::message_reader reader;
      byte_view rest{send->data};
      if (const auto m = reader.next(rest); m && *m)
        if (const auto* p = std::get_if<wire::press>(&**m)) watch(p->id, p->source == press_source::drill);
      lane_->to_server(send->data);
    } else {
      lane_->close_by_client();
    }
    if (!does()) return;
  }
  if (out.panel) {
    shown_ = *out.panel;
    checker_.on_panel(clock_.now(), home_, shown_);
    if (!does()) return;
  }
  dc09::sender_output said;
  for (const firmware::press& p : out.to_direct) {
    watch(p.id, p.test);
    if (!direct_open_.emplace(p.id, p).second) continue;
    (void)sender_->submit(clock_.now(), wall(), firmware::direct_event(p, press_account(home_), nullptr), said);
  }
  for (const press_id id : out.stop_direct) {
    (void)sender_->cancel(static_cast<std::uint64_t>(id));
    direct_open_.erase(id);
  }
  act(said);
}

void press_box::see_new_presses() {
  for (const auto& p : disk_.durable.open) {
    saved_.insert(p.id);
    watch(p.id, p.test);
  }
}

// From the first sight of a press on; again after each start.
void press_box::watch(press_id id, bool drill) {
  if (seen_.insert(id).second) checker_.on_press(clock_.now(), home_, id, drill);
  if (!watched_.insert(id).second) return;
  clock_.at(clock_.now() + undelivered_by, [this, id, life = life_] {
    if (life == life_ && on()) checker_.on_late(clock_.now(), id, shown_);
  });
}

void press_box::arm() {
  const mono_time next = std::max(clock_.now(), std::min(alarm_->next_wake(), sender_->next_wake()));
  if (next == never || next >= wake_) return;
  wake_ = next;
  clock_.at(next, [this, life = life_, next] {
    if (life != life_ || wake_ != next) return;
    wake_ = never;
    dc09::sender_output said;
    if (sender_->next_wake() <= clock_.now()) sender_->on_wake(clock_.now(), wall(), said);
    act(said);
    turn([this](firmware::alarm_output& out) { alarm_->on_wake(clock_.now(), wall(), out); });
  });
}

// ---- what happens

void press_box::push_button() {
  if (!on()) return;
  pressed_ = true;
  const auto hear = [this](bool pressed) {
    turn([this, pressed](firmware::alarm_output& out) {
      alarm_->on_box_button(clock_.now(), wall(), "front", pressed, firmware::button_heard::announced, out);
    });
  };
  hear(true);
  clock_.at(clock_.now() + released_after, [hear, life = life_, this] {
    if (life == life_) hear(false);
  });
}

void press_box::lane_opened() {
  turn([this](firmware::alarm_output& out) { alarm_->on_link_open(clock_.now(), link_, out); });
}
void press_box::lane_bytes(byte_view data) {
  turn([this, data](firmware::alarm_output& out) { alarm_->on_link_bytes(clock_.now(), wall(), link_, data, out); });
}
void press_box::lane_closed() {
  turn([this](firmware::alarm_output& out) { alarm_->on_link_closed(clock_.now(), link_, error{errc::net_closed, {}}, out); });
}

// ---- the direct path

void press_box::act(dc09::sender_output& first) {
  dc09::sender_output said = std::move(first);
  for (const auto& action : said.actions) {
    if (!on() || !does()) return;
    if (direct_line_->carry_out(action, direct_connection_)) continue;
    if (const auto* d = std::get_if<dc09::sender_output::delivered>(&action)) {
      const press_id id{d->id};
      direct_open_.erase(id);
      ++direct_first_;
      turn([this, id](firmware::alarm_output& out) { alarm_->on_direct_accepted(clock_.now(), id, out); });
    } else if (const auto* f = std::get_if<dc09::sender_output::failed>(&action)) {
      const auto p = direct_open_.find(press_id{f->id});
      if (p == direct_open_.end()) continue;
      clock_.at(clock_.now() + firmware::refused_retry, [this, life = life_, again = p->second] {
        if (life != life_ || !direct_open_.erase(again.id)) return;
        firmware::alarm_output out;
        out.to_direct.push_back(again);
        carry_out(out);
        if (on()) arm();
      });
    }
  }
  if (on()) arm();
}

void press_box::direct_opened() {
  if (!on()) return;
  dc09::sender_output said;
  sender_->on_connected(clock_.now(), wall(), direct_connection_, said);
  act(said);
}

void press_box::direct_bytes(byte_view data) {
  if (!on()) return;
  dc09::sender_output said;
  if (believes_all_)
    for (const auto& [id, p] : direct_open_)
      said.actions.emplace_back(dc09::sender_output::delivered{static_cast<std::uint64_t>(id), 0, clock_.now()});
  else
    sender_->on_bytes(clock_.now(), wall(), direct_connection_, data, said);
  act(said);
}

void press_box::direct_closed() {
  if (!on()) return;
  dc09::sender_output said;
  sender_->on_closed(clock_.now(), wall(), direct_connection_, said);
  act(said);
}

}  // namespace tomoshibi::sim
