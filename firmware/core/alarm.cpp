#include "firmware/core/alarm.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tomoshibi::firmware {

alarm::alarm(const alarm_setup& setup, emergency_store& store, log_sink& log)
    : buttons_(setup.button_period), presses_(store, setup.presses, setup.seed, log), lane_(setup.lane, log) {}

void alarm::on_start(mono_time now, alarm_output& out) {
  presses_.on_start(now, said_);
  lane_.on_start(now);
  finish(now, out);
}

// ---- buttons

void alarm::on_reading(mono_exact at, wall_at wall, const drivers::reading& reading, alarm_output& out) {
  buttons_.on_reading(to_mono(at), reading, heard_);
  take(at, wall, heard_, out);
}

void alarm::on_presence(mono_exact at, wall_at wall, const drivers::device_presence& presence, alarm_output& out) {
  buttons_.on_presence(to_mono(at), presence, heard_);
  take(at, wall, heard_, out);
}

void alarm::on_box_button(mono_exact at, wall_at wall, std::string_view name, bool pressed, button_heard how, alarm_output& out) {
  buttons_.on_state(to_mono(at), name, pressed, how, heard_);
  take(at, wall, heard_, out);
}

void alarm::take(mono_exact at, wall_at wall, buttons_output& heard, alarm_output& out) {
  for (auto& p : heard.presses) (void)presses_.on_press(at, wall, p.source, std::move(p.button), said_);
  for (const auto& t : heard.troubles) presses_.set_trouble(t.kind, t.button, t.on, said_);
  heard.presses.clear();
  heard.troubles.clear();
  finish(to_mono(at), out);
}

void alarm::on_trouble(mono_time now, trouble_kind kind, std::string_view button, bool on, alarm_output& out) {
  presses_.set_trouble(kind, button, on, said_);
  finish(now, out);
}

void alarm::save_buttons(mono_time now) {
  for (const known_button& b : buttons_.to_save(now))
    if (!presses_.save_button(b)) buttons_.save_again(now, b);
}

// ---- the lane

void alarm::on_link_open(mono_time now, link_number link, alarm_output& out) {
  lane_.on_link_open(now, link, out.link);
  finish(now, out);
}

void alarm::on_link_bytes(mono_exact at, wall_at wall, link_number link, byte_view data, alarm_output& out) {
  lane_news news;
  lane_.on_link_bytes(to_mono(at), link, data, out.link, news);
  take(at, wall, news, out);
}

void alarm::on_link_closed(mono_time now, link_number link, const error& why, alarm_output& out) {
  lane_news news;
  lane_.on_link_closed(now, link, why, news);
  take(now, {}, news, out);
}

void alarm::on_relay_changed(mono_time now, bool addresses, alarm_output& out) {
  lane_news news;
  lane_.on_relay_changed(now, addresses, out.link, news);
  take(now, {}, news, out);
}

void alarm::take(mono_exact at, wall_at wall, const lane_news& news, alarm_output& out) {
  const mono_time now = to_mono(at);
  if (news.time) out.time = news.time;
  if (news.up) presses_.on_lane_up(now, said_);
  for (const wire::press_news& s : news.stages) presses_.on_stage(at, s.id, s.stage, said_);
  for (const std::uint64_t request : news.drills) (void)presses_.on_drill(at, wall, request, said_);
  if (news.down) presses_.on_lane_down();
  finish(now, out);
}

void alarm::on_direct_accepted(mono_exact at, press_id id, alarm_output& out) {
  presses_.on_direct_accepted(at, id, said_);
  finish(to_mono(at), out);
}

// ---- a turn

void alarm::on_shown(mono_exact at, alarm_output& out) {
  presses_.on_shown(at, said_);
  finish(to_mono(at), out);
}

void alarm::finish(mono_time now, alarm_output& out) {
  if (std::exchange(said_.buttons_loaded, false)) buttons_.on_loaded(now, presses_.buttons());
  if (said_.redial) {
    lane_.redial(now, out.link);
    presses_.on_lane_down();
  }
  for (const wire::message& m : said_.to_lane)
    if (lane_.up()) lane_.send(now, m, out.link);
  if (said_.panel) out.panel = said_.panel;
  std::ranges::move(said_.to_direct, std::back_inserter(out.to_direct));
  std::ranges::move(said_.stop_direct, std::back_inserter(out.stop_direct));
  said_ = {};
  if (!stopped_) lane_.set_urgent(now, presses_.urgent());
}

void alarm::on_wake(mono_time now, wall_at wall, alarm_output& out) {
  presses_.on_wake(now, said_);
  buttons_.on_wake(now, heard_);
  take(now, wall, heard_, out);
  lane_news news;
  lane_.on_wake(now, out.link, news);
  take(now, wall, news, out);
  save_buttons(now);
}

mono_time alarm::next_wake() const {
  if (stopped_) return never;
  return std::min({presses_.next_wake(), buttons_.next_wake(), lane_.next_wake()});
}

void alarm::on_stop(mono_time now, alarm_output& out) {
  for (const known_button& b : buttons_.to_save(never)) (void)presses_.save_button(b);   // all, due or not
  lane_.on_stop(now, out.link);
  presses_.on_lane_down();
  stopped_ = true;
}

}  // namespace tomoshibi::firmware
