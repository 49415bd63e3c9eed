#include "firmware/core/uplink.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::firmware {
namespace {

// A frame of 4 KiB holds about so many records; what does not fit is read again.
constexpr std::size_t records_read_max = 32;
constexpr millis renew_retry = 1min;   // something was on its way

// The same for this gateway at every start, so that a fleet stays spread (FNV-1a over the name).
millis delay_of(const gateway_id& id, millis bound) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id.text()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return millis{prng{hash}.between(0, bound.count())};
}

}  // namespace

std::string_view name_of(uplink_state state) {
  switch (state) {
    case uplink_state::off: return "off";
    case uplink_state::idle: return "idle";
    case uplink_state::connecting: return "connecting";
    case uplink_state::hello_sent: return "hello_sent";
    case uplink_state::live: return "live";
  }
  return "?";
}

uplink::uplink(const gateway_setup& setup, outbox& log, log_sink& sink)
    : keep_alive_(setup.line),
      id_(setup.id),
      boot_(setup.boot),
      firmware_version_(setup.firmware_version),
      dials_(setup.dials),
      log_(log),
      logger_(sink, "uplink"),
      random_(setup.seed),
      upload_delay_(delay_of(setup.id, setup.line.upload_spread)) {}

// ---- connecting

void uplink::on_ready(mono_time now) {
  if (!dials_ || state_ != uplink_state::off) return;
  state_ = uplink_state::idle;
  back_off(now);  // even the first: a street whose power comes back does not dial at one instant
  failures_ = 0;
}

void uplink::dial(mono_time now, gateway_output& out) {
  state_ = uplink_state::connecting;
  deadline_ = now + connect_limit;
  ++link_;
  ++counts_.connects;
  out.link.emplace_back(link_open{link_, std::exchange(with_certificate_, false)});
}

void uplink::on_link_open(mono_time now, link_number link, const hello_facts& facts, gateway_output& out) {
  if (!current(link) || state_ != uplink_state::connecting) return;
  state_ = uplink_state::hello_sent;
  deadline_ = now + welcome_limit;
  last_heard_ = now;
  hello_at_ = now;
  reader_ = {};
  in_flight_.clear();
  ping_nonce_ = 0;
  wire::hello hello;
  hello.gateway = id_.text();
  hello.boot = boot_;
  hello.firmware_version = firmware_version_;
  hello.epoch = log_.epoch();
  hello.oldest_seq = log_.oldest();
  hello.next_seq = log_.next();
  hello.config_version = facts.config_version;
  hello.wall = facts.wall;
  hello.clock_synced = facts.clock_synced;
  send(now, hello, out);
}

// ---- ending

void uplink::ended(mono_time now) {
  if (state_ == uplink_state::live) {
    if (now - live_since_ >= live_resets_backoff) failures_ = 0;
  }
  state_ = uplink_state::idle;
  in_flight_.clear();
  held_until_ = renew_at_ = never;
}

void uplink::back_off_for(mono_time now, millis base) {
  // Half of it at least, so that a long wait is one; the rest is jitter.
  dial_at_ = now + base / 2 + millis{random_.between(0, base.count() / 2)};
}

void uplink::back_off(mono_time now) {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures_, 16);
  const millis limit = std::min(backoff_max, backoff_first * (std::int64_t{1} << doublings));
  ++failures_;
  dial_at_ = now + millis{random_.between(0, limit.count())};
}

void uplink::drop(mono_time now, gateway_output& out) {
  out.link.emplace_back(link_close{link_});
  ended(now);
}

void uplink::leave(mono_time now, wire::bye_reason reason, std::string_view text, gateway_output& out) {
  send(now, wire::bye{reason, std::string{text}}, out);
  drop(now, out);
}

// The relay broke the protocol.
void uplink::refuse(mono_time now, std::string_view what, gateway_output& out) {
  ++counts_.malformed;
  logger_.warning("malformed", {{"what", what}});
  leave(now, wire::bye_reason::malformed, what, out);
  back_off(now);
}

void uplink::on_link_closed(mono_time now, link_number link, const error& why) {
  if (!current(link)) return;
  if (state_ == uplink_state::live) ++counts_.sessions_lost;
  logger_.warning("link_closed", {{"err", name_of(why.code)}, {"in", name_of(state_)}});
  ended(now);
  back_off(now);
}

void uplink::restart(mono_time now, gateway_output& out) {
  if (state_ < uplink_state::connecting) return;
  if (state_ == uplink_state::connecting) return;  // hello will tell the new state
  leave(now, wire::bye_reason::shutdown, "log begun anew", out);
  back_off(now);
}

void uplink::on_relay_changed(mono_time now, bool addresses, gateway_output& out) {
  if (state_ == uplink_state::off) return;
  const bool session = state_ == uplink_state::hello_sent || state_ == uplink_state::live;
  if (session && !addresses) return;
  if (session) leave(now, wire::bye_reason::shutdown, "other relays", out);
  if (state_ == uplink_state::connecting) drop(now, out);
  failures_ = 0;
  dial_at_ = now;
}

void uplink::on_stop(mono_time now, gateway_output& out) {
  if (state_ == uplink_state::hello_sent || state_ == uplink_state::live) {
    leave(now, wire::bye_reason::shutdown, {}, out);
  } else if (state_ == uplink_state::connecting) {
    drop(now, out);
  }
  state_ = uplink_state::off;
}

// ---- time

mono_time uplink::next_wake() const {
  switch (state_) {
    case uplink_state::off: return never;
    case uplink_state::idle: return dial_at_;
    case uplink_state::connecting:
    case uplink_state::hello_sent: return deadline_;
    case uplink_state::live:
      return std::min({last_sent_ + keep_alive_.ping_after, last_heard_ + keep_alive_.silence_limit, held_until_, renew_at_});
  }
  return never;
}

void uplink::on_wake(mono_time now, gateway_output& out) {
  if (now < next_wake()) return;
  switch (state_) {
    case uplink_state::off: return;
    case uplink_state::idle: dial(now, out); return;
    case uplink_state::connecting:
    case uplink_state::hello_sent:
      logger_.warning("timeout", {{"in", name_of(state_)}});
      drop(now, out);
      back_off(now);
      return;
    case uplink_state::live: break;
  }
  if (now >= last_heard_ + keep_alive_.silence_limit) {
    hit(probe::uplink_relay_silent);
    ++counts_.sessions_lost;
    logger_.warning("relay_silent");
    leave(now, wire::bye_reason::timeout, {}, out);
    back_off(now);
    return;
  }
  if (now >= held_until_) held_until_ = never;   // pump() sends it
  if (now >= renew_at_) return renew(now, out);
  if (now < last_sent_ + keep_alive_.ping_after) return;
  ping_nonce_ = random_.next() | 1;
  ping_at_ = now;
  send(now, wire::ping{ping_nonce_}, out);
}

void uplink::renew(mono_time now, gateway_output& out) {
  if (!nothing_to_send()) {
    renew_at_ = now + renew_retry;
    return;
  }
  logger_.info("renewing");
  leave(now, wire::bye_reason::shutdown, "session renewed", out);
  failures_ = 0;
  with_certificate_ = true;
  back_off(now);
}

void uplink::on_slot_closed(mono_time now) {
  const bool alone = nothing_to_send() && log_.pending() == 0;
  if (state_ == uplink_state::live && upload_delay_ > millis{0} && alone) held_until_ = now + upload_delay_;
}

// ---- sending

void uplink::send(mono_time now, const wire::message& message, gateway_output& out) {
  auto frame = wire::encode_frame(message);
  if (!TOMO_CHECK(frame.has_value())) return;
  send_frame(now, std::move(*frame), out);
}

void uplink::send_frame(mono_time now, bytes frame, gateway_output& out) {
  last_sent_ = now;
  counts_.bytes_out += frame.size();
  out.link.emplace_back(link_send{link_, std::move(frame)});
}

void uplink::pump(mono_time now, gateway_output& out) {
  if (state_ != uplink_state::live) return;
  if (config_answer_ && !log_.waiting()) {
    send(now, *config_answer_, out);
    config_answer_.reset();
  }
  if (next_to_send_ < log_.oldest()) {
    // The full outbox gave up records that this session was still to send; only a hello can say that.
    logger_.warning("overtaken");
    leave(now, wire::bye_reason::overload, "records given up", out);
    back_off(now);
    return;
  }
  if (log_.rewriting() || held(now)) return;
  while (in_flight_.size() < frames_in_flight_max && next_to_send_ < log_.next()) {
    if (!send_records(now, out)) return;
  }
}

bool uplink::send_records(mono_time now, gateway_output& out) {
  const auto records = log_.read(next_to_send_, records_read_max);
  if (!records || records->empty() || !TOMO_CHECK(records->front().seq == next_to_send_)) return false;
  wire::records_builder frame{next_to_send_};
  for (const auto& record : *records) {
    if (!frame.add(record.data)) break;
  }
  if (!TOMO_CHECK(frame.count() > 0)) return false;
  next_to_send_ += frame.count();
  counts_.records_sent += frame.count();
  in_flight_.push_back(next_to_send_ - 1);
  log_.mark_sent(next_to_send_ - 1);
  send_frame(now, frame.frame(), out);
  return true;
}

// ---- receiving

void uplink::on_link_bytes(mono_time now, link_number link, byte_view data, gateway_output& out, uplink_news& news) {
  if (!current(link) || state_ == uplink_state::connecting) return;
  last_heard_ = now;
  counts_.bytes_in += data.size();
  while (current(link)) {
    const auto message = reader_.next(data);
    if (!message) return refuse(now, message.error().detail, out);
    if (!*message) return;
    take(now, **message, out, news);
  }
}

void uplink::take(mono_time now, const wire::message& message, gateway_output& out, uplink_news& news) {
  const bool live = state_ == uplink_state::live;
  if (const auto* bye = std::get_if<wire::bye>(&message)) return take_bye(now, *bye, out);
  if (const auto* welcome = std::get_if<wire::welcome>(&message); welcome && !live) {
    return take_welcome(now, *welcome, out, news);
  }
  if (!live) return refuse(now, "not a welcome", out);
  if (const auto* ack = std::get_if<wire::ack>(&message)) return take_ack(now, ack->acked_seq, out);
  if (const auto* pong = std::get_if<wire::pong>(&message)) return take_pong(now, *pong, news);
  if (const auto* ping = std::get_if<wire::ping>(&message)) return send(now, wire::pong{ping->nonce, {}}, out);
  if (const auto* config = std::get_if<wire::config>(&message)) {
    news.config = *config;
    return;
  }
  refuse(now, wire::of_emergency_lane(message) ? "a message of the emergency lane" : "a message that only a gateway sends", out);
}

void uplink::take_welcome(mono_time now, const wire::welcome& welcome, gateway_output& out, uplink_news& news) {
  if (welcome.protocol_version != wire::protocol_version) {
    leave(now, wire::bye_reason::wrong_version, "1", out);
    return back_off_for(now, backoff_version);
  }
  if (welcome.acked_seq > log_.last()) {
    // The relay has more of this epoch than we do: our store went back in time, or the relay errs by a lot.
    const bool filled = log_.fill_through(welcome.acked_seq);
    logger_.error("log_went_back", {{"acked", welcome.acked_seq}, {"last", log_.last()}, {"filled", filled ? 1 : 0}});
    ++counts_.malformed;
    leave(now, wire::bye_reason::malformed, "acknowledged more than was made", out);
    return filled ? back_off(now) : back_off_for(now, backoff_version);
  }
  state_ = uplink_state::live;
  live_since_ = now;
  if (const millis after = keep_alive_.renew_after; after > millis{0})
    renew_at_ = now + after + millis{random_.between(0, after.count() * 2 / 5)};
  ++counts_.sessions;
  log_.session_began(welcome.acked_seq);
  next_to_send_ = log_.oldest();
  news.time = relay_time{welcome.wall, now - hello_at_, now};
  logger_.info("live", {{"acked", welcome.acked_seq}, {"next", log_.next()}});
}

void uplink::take_ack(mono_time now, record_seq acked, gateway_output& out) {
  if (acked >= next_to_send_) return refuse(now, "acknowledged what was not sent", out);
  log_.acknowledge(acked);
  while (!in_flight_.empty() && in_flight_.front() <= acked) in_flight_.pop_front();
}

void uplink::take_pong(mono_time now, const wire::pong& pong, uplink_news& news) const {
  if (pong.nonce != ping_nonce_ || ping_nonce_ == 0 || !pong.wall) return;
  news.time = relay_time{*pong.wall, now - ping_at_, now};
}

void uplink::take_bye(mono_time now, const wire::bye& bye, gateway_output& out) {
  logger_.warning("relay_left", {{"reason", wire::name_of(bye.reason)}});
  if (state_ == uplink_state::live) ++counts_.sessions_lost;
  drop(now, out);
  switch (bye.reason) {
    case wire::bye_reason::revoked:
    case wire::bye_reason::unknown_gateway:
    case wire::bye_reason::identity: return back_off_for(now, backoff_refused);
    case wire::bye_reason::wrong_version: return back_off_for(now, backoff_version);
    default: return back_off(now);
  }
}

}  // namespace tomoshibi::firmware
