// The messages of the emergency lane.
#include "protocol/wire/pb_values.hpp"

#include <utility>

namespace tomoshibi::wire {

bool of_emergency_lane(const message& m) {
  return std::holds_alternative<press>(m) || std::holds_alternative<press_news>(m) || std::holds_alternative<lane_hello>(m) ||
         std::holds_alternative<lane_welcome>(m) || std::holds_alternative<press_report>(m) ||
         std::holds_alternative<box_state>(m) || std::holds_alternative<drill_request>(m);
}

// ---- hello, welcome

bool to_pb(const lane_hello& v, tomoshibi_v1_LaneHello& p) {
  p.protocol_version = v.protocol_version;
  put_text(v.gateway, p.gateway);
  p.boot = v.boot;
  put_text(v.firmware_version, p.firmware_version);
  return true;
}

bool from_pb(const tomoshibi_v1_LaneHello& p, lane_hello& v) {
  v.protocol_version = p.protocol_version;
  v.gateway = p.gateway;
  v.boot = p.boot;
  v.firmware_version = p.firmware_version;
  return true;
}

bool to_pb(const lane_welcome& v, tomoshibi_v1_LaneWelcome& p) {
  p.wall_ms = to_ms(v.wall);
  return true;
}

bool from_pb(const tomoshibi_v1_LaneWelcome& p, lane_welcome& v) { return take_time(p.wall_ms, v.wall); }

// ---- a press and its stages

namespace {

// Help is not refused for a word that a newer gateway uses: what is not known to be a drill is a press of a button.
bool take_source(const tomoshibi_v1_PressSource& from, press_source& to) {
  if (number_of_enum(from) == 0) return false;
  if (!listed(from, press_source::drill, to)) to = press_source::button;
  return true;
}

}  // namespace

bool to_pb(const press& v, tomoshibi_v1_Press& p) {
  p.id = std::to_underlying(v.id);
  p.source = as_pb<tomoshibi_v1_PressSource>(v.source);
  put_text(v.button, p.button);
  p.has_occurred_ms = v.occurred.has_value();
  if (v.occurred) p.occurred_ms = to_ms(*v.occurred);
  p.age_ms = v.age_ms;
  p.has_request = v.request.has_value();
  p.request = v.request.value_or(0);
  return true;
}

bool from_pb(const tomoshibi_v1_Press& p, press& v) {
  v.id = press_id{p.id};
  v.button = p.button;
  v.age_ms = p.age_ms;
  if (p.has_request) v.request = p.request;
  // Nor for a time that is none: the press is taken without it.
  if (p.has_occurred_ms && !take_time(p.occurred_ms, v.occurred.emplace())) v.occurred.reset();
  return p.id != 0 && take_source(p.source, v.source);
}

bool to_pb(const press_news& v, tomoshibi_v1_PressNews& p) {
  p.id = std::to_underlying(v.id);
  p.stage = as_pb<tomoshibi_v1_PressStage>(v.stage);
  return true;
}

bool from_pb(const tomoshibi_v1_PressNews& p, press_news& v) {
  v.id = press_id{p.id};
  return p.id != 0 && listed(p.stage, press_stage::closed, v.stage) && v.stage != press_stage::calling;
}

// ---- reports

namespace {

void put_time(const std::optional<std::uint32_t>& from, bool& has, std::uint32_t& to) {
  has = from.has_value();
  to = from.value_or(0);
}

std::optional<std::uint32_t> time_of(bool has, std::uint32_t us) {
  if (!has) return std::nullopt;
  return us;
}

}  // namespace

bool to_pb(const press_report& v, tomoshibi_v1_PressReport& p) {
  p.id = std::to_underlying(v.id);
  p.source = as_pb<tomoshibi_v1_PressSource>(v.source);
  put_text(v.button, p.button);
  p.has_occurred_ms = v.occurred.has_value();
  if (v.occurred) p.occurred_ms = to_ms(*v.occurred);
  p.path = as_pb<tomoshibi_v1_PressPath>(v.path);
  p.was_undelivered = v.was_undelivered;
  p.interrupted = v.interrupted;
  put_time(v.times.durable_us, p.has_durable_us, p.durable_us);
  put_time(v.times.received_us, p.has_received_us, p.received_us);
  put_time(v.times.accepted_us, p.has_accepted_us, p.accepted_us);
  put_time(v.times.shown_us, p.has_shown_us, p.shown_us);
  p.has_request = v.request.has_value();
  p.request = v.request.value_or(0);
  return true;
}

bool from_pb(const tomoshibi_v1_PressReport& p, press_report& v) {
  v.id = press_id{p.id};
  v.button = p.button;
  v.was_undelivered = p.was_undelivered;
  v.interrupted = p.interrupted;
  v.times = {.durable_us = time_of(p.has_durable_us, p.durable_us),
             .received_us = time_of(p.has_received_us, p.received_us),
             .accepted_us = time_of(p.has_accepted_us, p.accepted_us),
             .shown_us = time_of(p.has_shown_us, p.shown_us)};
  if (p.has_request) v.request = p.request;
  if (p.has_occurred_ms && !take_time(p.occurred_ms, v.occurred.emplace())) return false;
  const std::uint32_t path = number_of_enum(p.path);
  v.path = static_cast<press_path>(path);
  return p.id != 0 && take_source(p.source, v.source) && path <= std::to_underlying(press_path::direct);
}

bool to_pb(const box_state& v, tomoshibi_v1_BoxState& p) {
  if (v.troubles.size() > troubles_max) return false;
  p.trouble_count = static_cast<pb_size_t>(v.troubles.size());
  for (std::size_t i = 0; i < v.troubles.size(); ++i) {
    p.trouble[i].kind = as_pb<tomoshibi_v1_TroubleKind>(v.troubles[i].kind);
    put_text(v.troubles[i].button, p.trouble[i].button);
  }
  return true;
}

bool from_pb(const tomoshibi_v1_BoxState& p, box_state& v) {
  v.troubles.clear();
  for (pb_size_t i = 0; i < p.trouble_count; ++i) {
    trouble one{.kind = {}, .button = p.trouble[i].button};
    if (number_of_enum(p.trouble[i].kind) == 0) return false;
    if (listed(p.trouble[i].kind, trouble_kind::direct_path_down, one.kind)) v.troubles.push_back(std::move(one));
  }
  return true;
}

bool to_pb(const drill_request& v, tomoshibi_v1_DrillRequest& p) {
  p.request = v.request;
  return true;
}

bool from_pb(const tomoshibi_v1_DrillRequest& p, drill_request& v) {
  v.request = p.request;
  return v.request != 0;
}

}  // namespace tomoshibi::wire
