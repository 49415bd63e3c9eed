#include "firmware/shell/emergency_part.hpp"

#include "firmware/shell/led_panel.hpp"
#include "firmware/shell/log_panel.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr std::string_view box_button_name = "box";

std::vector<host_port> lane_addresses(const gateway_config& c) {
  std::vector<host_port> out = c.relays;
  for (host_port& a : out) a.port = c.emergency.port;
  return out;
}

emergency_settings settings_of(const gateway_config& c) {
  return {.direct_after = c.direct.used() ? millis{c.emergency.direct_after_s * 1'000} : millis{0},
          .undelivered_after = millis{c.emergency.undelivered_after_s * 1'000},
          .reports = !c.relays.empty()};
}

alarm_setup setup_of(const emergency_part_setup& s) {
  return {.lane = {.id = s.id, .boot = s.boot, .firmware_version = s.firmware_version, .seed = s.seed, .dials = !s.config.relays.empty()},
          .presses = settings_of(s.config),
          .button_period = millis{s.config.emergency.button_period_s * 1'000},
          .seed = s.seed};
}

std::vector<std::unique_ptr<panel>> panels_of(const emergency_config& c, log_sink& log) {
  std::vector<std::unique_ptr<panel>> out;
  const led_panel_options lamps{.folder = c.lamp_folder, .call = c.lamp_call, .answer = c.lamp_answer, .fault = c.lamp_fault,
                                .buzzer = c.buzzer};
  if (!lamps.call.empty() || !lamps.answer.empty() || !lamps.fault.empty() || !lamps.buzzer.empty())
    out.push_back(std::make_unique<led_panel>(log, lamps));
  out.push_back(std::make_unique<log_panel>(log, c.panel_file));
  return out;
}

}  // namespace

emergency_part::emergency_part(emergency_part_setup s)
    : loop_(&s.loop), sink_(&s.log), log_(s.log, "emergency"), wall_(s.wall), relay_told_(s.relay_told),
      direct_config_(s.config.direct), box_config_(s.config.box),
      relays_(lane_addresses(s.config)), store_({.path = s.config.state_folder + "/emergency.db"}), core_(setup_of(s), store_, s.log),
      panels_(panels_of(s.config.emergency, s.log)) {}

emergency_part::~emergency_part() { loop_->remove(*this); }

status emergency_part::open(tls_context_ptr context, tls_date_source date) {
  link_ = std::make_unique<relay_link>(*loop_, std::move(context), relays_, *sink_, *this, lane_link_name);
  if (!direct_config_.used()) return {};
  auto direct = direct_path::make(*loop_, direct_config_, std::move(date), *sink_, *this);
  if (!direct) return std::unexpected(direct.error());
  direct_ = std::move(*direct);
  return {};
}

void emergency_part::start() {
  for (const auto& p : panels_) p->show({});   // lamps that an earlier run left on
  turn([this](alarm_output& out) { core_.on_start(loop_->now(), out); });
  loop_->add(*this);
  if (!store_.reserved()) log_.warning("no_room_reserved");
  if (store_.recreated()) log_.error("file_recreated");
  if (loop_->replayed()) return;   // the box is the machine's, and its time is not the replay's
  power_watch_ = std::make_unique<power_watch>(*loop_, box_config_.power_folder, *sink_, *this);
  if (box_config_.button.kind == box_button_kind::none) return;
  box_button_ = std::make_unique<box_button>(*loop_, [button = box_config_.button] { return open_button(button); }, *sink_, *this);
}

void emergency_part::stop() {
  turn([this](alarm_output& out) { core_.on_stop(loop_->now(), out); });
  stopped_ = true;
  box_button_.reset();
  power_watch_.reset();
}

void emergency_part::use(const gateway_config& fresh, tls_context_ptr context, bool files) {
  auto relays = lane_addresses(fresh);
  const bool addresses = relays != relays_;
  relays_ = std::move(relays);
  link_->use(std::move(context), relays_);
  core_.use(settings_of(fresh));
  if (!addresses && !files) return;
  turn([this, addresses](alarm_output& out) { core_.on_relay_changed(loop_->now(), addresses, out); });
}

// ---- what happens

mono_time emergency_part::next_wake() const { return core_.next_wake(); }

void emergency_part::on_wake(mono_time now) {
  turn([this, now](alarm_output& out) { core_.on_wake(now, wall(), out); });
}

void emergency_part::on_button_reading(mono_time, wall_at wall, const drivers::reading& reading) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_reading(loop_->exact(), wall, reading, out); });
}

void emergency_part::on_button_presence(mono_time, wall_at wall, const drivers::device_presence& presence) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_presence(loop_->exact(), wall, presence, out); });
}

void emergency_part::on_box_button(bool pressed, bool announced) {
  if (stopped_) return;
  const button_heard heard = announced ? button_heard::announced : button_heard::found;
  turn([&](alarm_output& out) { core_.on_box_button(loop_->exact(), wall(), box_button_name, pressed, heard, out); });
}

void emergency_part::on_box_button_gone(bool gone) { on_trouble(trouble_kind::button_silent, gone, box_button_name); }

void emergency_part::on_power(const power_state& now) {
  on_trouble(trouble_kind::mains_lost, now.mains_lost);
  on_trouble(trouble_kind::battery_low, now.battery_low);
}

void emergency_part::on_trouble(trouble_kind kind, bool on, std::string_view button) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_trouble(loop_->now(), kind, button, on, out); });
}

void emergency_part::on_link_open(link_number link) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_link_open(loop_->now(), link, out); });
}

void emergency_part::on_link_bytes(link_number link, byte_view data) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_link_bytes(loop_->exact(), wall(), link, data, out); });
}

void emergency_part::on_link_closed(link_number link, const error& why) {
  if (stopped_) return;
  turn([&](alarm_output& out) { core_.on_link_closed(loop_->now(), link, why, out); });
}

void emergency_part::on_direct_accepted(press_id id) {
  turn([&](alarm_output& out) { core_.on_direct_accepted(loop_->exact(), id, out); });
}

void emergency_part::on_direct_link(bool down) { on_trouble(trouble_kind::direct_path_down, down); }

// ---- what it asks for

void emergency_part::act(const alarm_output& out) {
  for (const link_action& action : out.link) link_->act(action);
  if (out.panel)
    for (const auto& p : panels_) p->show(*out.panel);
  if (direct_) {
    for (const press& p : out.to_direct) direct_->start(p);
    for (const press_id id : out.stop_direct) direct_->stop(id);
  }
  alarm_output after;
  core_.on_shown(loop_->exact(), after);
  for (const link_action& action : after.link) link_->act(action);
  if (out.time) relay_told_(*out.time);   // last: the slots it makes must not hold up a press
}

// ---- about itself

std::string emergency_part::status_line() const {
  const emergency& p = core_.presses();
  std::string out = "lane: " + std::string(name_of(core_.lane()));
  if (p.open() != 0) out += "; " + std::to_string(p.open()) + " presses held" + (p.urgent() ? ", HELP IS CALLED" : "");
  if (!p.loaded()) out += "; presses cannot be read";
  if (core_.known().troubled() != 0) out += "; " + std::to_string(core_.known().troubled()) + " buttons in trouble";
  return out;
}

void emergency_part::tell_statistics() const {
  const emergency::counters& c = core_.presses().counts();
  const lane::counters& l = core_.lane_counts();
  log_.info("statistics", {{"lane", name_of(core_.lane())}, {"sessions", l.sessions}, {"lost", l.sessions_lost},
                           {"presses", c.presses}, {"drills", c.drills}, {"accepted", c.accepted}, {"undelivered", c.undelivered},
                           {"put_failures", c.put_failures}, {"buttons", core_.known().count()},
                           {"troubled", core_.known().troubled()}});
}

}  // namespace tomoshibi::firmware
