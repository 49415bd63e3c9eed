#include "firmware/core/lane.hpp"

#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint32_t failures_told = 4;  // in a row: while a relay is away there are six a minute

}  // namespace

std::string_view name_of(lane_state state) {
  switch (state) {
    case lane_state::off: return "off";
    case lane_state::idle: return "idle";
    case lane_state::connecting: return "connecting";
    case lane_state::hello_sent: return "hello_sent";
    case lane_state::up: return "up";
  }
  return "?";
}

lane::lane(const lane_setup& setup, log_sink& sink) : setup_(setup), log_(sink, "lane"), random_(setup.seed) {}

// ---- connecting

void lane::on_start(mono_time now) {
  if (!setup_.dials || state_ != lane_state::off) return;
  state_ = lane_state::idle;
  dial_at_ = now;
}

void lane::dial(mono_time now, std::vector<link_action>& out) {
  state_ = lane_state::connecting;
  attempt_since_ = now;
  ++link_;
  ++counts_.connects;
  out.emplace_back(link_open{link_});
}

void lane::on_link_open(mono_time now, link_number link, std::vector<link_action>& out) {
  if (!current(link) || state_ != lane_state::connecting) return;
  state_ = lane_state::hello_sent;
  attempt_since_ = last_heard_ = now;
  reader_ = {};
  wire::lane_hello hello;
  hello.gateway = setup_.id.text();
  hello.boot = setup_.boot;
  hello.firmware_version = setup_.firmware_version;
  put(now, hello, out);
}

void lane::set_urgent(mono_time now, bool urgent) {
  if (urgent == urgent_) return;
  urgent_ = urgent;
  urgent_since_ = now;
  if (urgent && state_ == lane_state::idle) dial_at_ = std::min(dial_at_, now);
}

millis lane::patience() const {
  if (!urgent_) return lane_patience_max;
  return std::min(lane_patience_max, lane_patience_urgent * (1 << std::min<std::uint32_t>(failures_, 4)));
}

// ---- ending

void lane::ended(mono_time now) {
  if (state_ == lane_state::up && now - up_since_ >= lane_up_resets_backoff) failures_ = 0;
  state_ = lane_state::idle;
}

void lane::lost(lane_news& news) {
  if (state_ != lane_state::up) return;
  ++counts_.sessions_lost;
  news.down = true;
}

void lane::back_off(mono_time now, bool refused) {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures_, 16);
  millis wait = std::min(lane_backoff_max, lane_backoff_first * (std::int64_t{1} << doublings));
  if (refused) wait = lane_backoff_refused;
  if (urgent_) wait = std::min(wait, lane_backoff_urgent);
  ++failures_;
  dial_at_ = now + wait / 2 + millis{random_.between(0, wait.count() / 2)};
}

void lane::drop(mono_time now, std::vector<link_action>& out) {
  out.emplace_back(link_close{link_});
  ended(now);
}

void lane::leave(mono_time now, wire::bye_reason reason, std::string_view text, std::vector<link_action>& out) {
  put(now, wire::bye{reason, std::string{text}}, out);
  drop(now, out);
}

// The relay broke the protocol.
void lane::refuse(mono_time now, std::string_view what, std::vector<link_action>& out, lane_news& news) {
  ++counts_.malformed;
  log_.warning("malformed", {{"what", what}});
  lost(news);
  leave(now, wire::bye_reason::malformed, what, out);
  back_off(now);
}

void lane::on_link_closed(mono_time now, link_number link, const error& why, lane_news& news) {
  if (!current(link)) return;
  lost(news);
  if (up() || failures_ < failures_told) log_.warning("link_closed", {{"err", name_of(why.code)}, {"in", name_of(state_)}});
  ended(now);
  back_off(now);
}

void lane::redial(mono_time now, std::vector<link_action>& out) {
  if (state_ != lane_state::up) return;
  ++counts_.sessions_lost;
  log_.warning("no_answer");
  drop(now, out);
  dial_at_ = now;
}

void lane::on_relay_changed(mono_time now, bool addresses, std::vector<link_action>& out, lane_news& news) {
  if (state_ == lane_state::off) return;
  const bool session = state_ == lane_state::hello_sent || state_ == lane_state::up;
  if (session && !addresses) return;
  news.down = news.down || state_ == lane_state::up;
  if (session) leave(now, wire::bye_reason::shutdown, "other relays", out);
  if (state_ == lane_state::connecting) drop(now, out);
  failures_ = 0;
  dial_at_ = now;
}

void lane::on_stop(mono_time now, std::vector<link_action>& out) {
  if (state_ == lane_state::hello_sent || state_ == lane_state::up) {
    leave(now, wire::bye_reason::shutdown, {}, out);
  } else if (state_ == lane_state::connecting) {
    drop(now, out);
  }
  state_ = lane_state::off;
}

// ---- time

mono_time lane::ping_at() const { return last_sent_ + (urgent_ ? lane_ping_after_urgent : lane_ping_after); }

// The short limit counts from when it began to matter: until then nobody had to say anything.
mono_time lane::dead_at() const {
  const mono_time at = last_heard_ + lane_silence_max;
  return urgent_ ? std::min(at, std::max(last_heard_, urgent_since_) + lane_silence_urgent) : at;
}

mono_time lane::next_wake() const {
  switch (state_) {
    case lane_state::off: return never;
    case lane_state::idle: return dial_at_;
    case lane_state::connecting:
    case lane_state::hello_sent: return attempt_since_ + patience();
    case lane_state::up: return std::min(ping_at(), dead_at());
  }
  return never;
}

void lane::on_wake(mono_time now, std::vector<link_action>& out, lane_news& news) {
  if (now < next_wake()) return;
  switch (state_) {
    case lane_state::off: return;
    case lane_state::idle: return dial(now, out);
    case lane_state::connecting:
    case lane_state::hello_sent:
      log_.warning("timeout", {{"in", name_of(state_)}});
      drop(now, out);
      return back_off(now);
    case lane_state::up: break;
  }
  if (now < dead_at()) return put(now, wire::ping{random_.next() | 1}, out);
  log_.warning("relay_silent");
  lost(news);
  leave(now, wire::bye_reason::timeout, {}, out);
  back_off(now);
}

// ---- sending and receiving

void lane::put(mono_time now, const wire::message& message, std::vector<link_action>& out) {
  auto frame = wire::encode_frame(message);
  if (!TOMO_CHECK(frame.has_value())) return;
  last_sent_ = now;
  out.emplace_back(link_send{link_, std::move(*frame)});
}

void lane::send(mono_time now, const wire::message& message, std::vector<link_action>& out) {
  if (TOMO_CHECK(up())) put(now, message, out);
}

void lane::on_link_bytes(mono_time now, link_number link, byte_view data, std::vector<link_action>& out, lane_news& news) {
  if (!current(link) || state_ == lane_state::connecting) return;
  last_heard_ = now;
  while (current(link)) {
    const auto message = reader_.next(data);
    if (!message) return refuse(now, message.error().detail, out, news);
    if (!*message) return;
    take(now, **message, out, news);
  }
}

void lane::take(mono_time now, const wire::message& message, std::vector<link_action>& out, lane_news& news) {
  if (const auto* bye = std::get_if<wire::bye>(&message)) return take_bye(now, *bye, out, news);
  if (const auto* welcome = std::get_if<wire::lane_welcome>(&message); welcome && !up()) return take_welcome(now, *welcome, news);
  if (!up()) return refuse(now, "not a welcome", out, news);
  if (const auto* ping = std::get_if<wire::ping>(&message)) return put(now, wire::pong{ping->nonce, {}}, out);
  if (std::holds_alternative<wire::pong>(message)) return;
  if (const auto* stage = std::get_if<wire::press_news>(&message)) {
    news.stages.push_back(*stage);
  } else if (const auto* drill = std::get_if<wire::drill_request>(&message)) {
    news.drills.push_back(drill->request);
  } else {
    refuse(now, "a message that does not belong here", out, news);
  }
}

void lane::take_welcome(mono_time now, const wire::lane_welcome& welcome, lane_news& news) {
  if (welcome.wall > wall_at{}) news.time = relay_time{welcome.wall, now - attempt_since_, now};
  state_ = lane_state::up;
  up_since_ = now;
  ++counts_.sessions;
  news.up = true;
  log_.info("up");
}

void lane::take_bye(mono_time now, const wire::bye& bye, std::vector<link_action>& out, lane_news& news) {
  log_.warning("relay_left", {{"reason", wire::name_of(bye.reason)}});
  lost(news);
  drop(now, out);
  switch (bye.reason) {
    case wire::bye_reason::revoked:
    case wire::bye_reason::unknown_gateway:
    case wire::bye_reason::identity:
    case wire::bye_reason::wrong_version: return back_off(now, true);
    default: return back_off(now);
  }
}

}  // namespace tomoshibi::firmware
