#include "relay/core/emergency/lane_table.hpp"

#include "protocol/base/check.hpp"
#include "relay/core/session_table.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

limits session_limits_of(const emergency_limits& l) {
  limits out;
  out.session_bytes_per_min = l.lane_bytes_per_min;
  out.session_frames_per_min = l.lane_frames_per_min;
  out.hellos_per_min = l.hellos_per_min;
  return out;
}

}  // namespace

lane_table::lane_table(desk_frame& f, lane_listener& listener)
    : f_(f), log_(f.log, "lane"), listener_(listener), session_limits_(session_limits_of(f.limits)) {}

// ---- opening and bytes

void lane_table::on_open(desk_turn& t, session_id id, const peer& who) {
  ++f_.count.lanes_opened;
  if (!TOMO_CHECK(!lanes_.contains(id))) return;
  auto wrong = check_certificate(who, f_.world->all);
  if (!wrong && lanes_.size() >= f_.limits.lanes_max)
    wrong = refusal{close_reason::overload, "more than " + std::to_string(f_.limits.lanes_max) + " lanes"};
  const auto name = gateway_id::parse(who.subject_cn).value_or(gateway_id{});
  device_session& s = lanes_.try_emplace(id, id, name, who, session_kind::lane).first->second;
  if (wrong) return refuse(t, s, *wrong);
  greeting_.touch(id, t.now);
}

void lane_table::on_bytes(desk_turn& t, session_id id, byte_view data) {
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return;  // bytes that were on their way when we hung up
  device_session& s = found->second;
  const std::uint64_t had = s.frames_taken();
  if (auto wrong = s.admit(t.now, data.size(), session_limits_)) return refuse(t, s, *wrong);
  for (;;) {
    auto m = s.next(data, session_limits_, session_counts_);
    if (!m) return refuse(t, s, m.error());
    if (!*m) break;
    bool said_bye = false;
    if (auto wrong = take(t, s, **m, said_bye)) return refuse(t, s, *wrong);
    if (said_bye) {
      t.out.emplace_back(std::in_place_type<close>, id, close_reason::done);
      ++f_.count.lanes_closed[static_cast<std::size_t>(close_reason::done)];
      return forget(t, id);
    }
  }
  if (!s.live()) return;
  if (!s.inside_frame()) inside_.erase(id);
  else if (s.frames_taken() != had || !inside_.contains(id)) inside_.touch(id, t.now);
  heard_.touch(id, t.now);
  listener_.on_lane_heard(t, s.gateway());
}

std::optional<refusal> lane_table::take(desk_turn& t, device_session& s, const wire::message& m, bool& said_bye) {
  if (const auto* h = std::get_if<wire::lane_hello>(&m)) return take_hello(t, s, *h);
  if (const auto* p = std::get_if<wire::press>(&m)) return listener_.on_press(t, s.gateway(), *p);
  if (const auto* r = std::get_if<wire::press_report>(&m)) return listener_.on_report(t, s.gateway(), *r);
  if (const auto* b = std::get_if<wire::box_state>(&m)) return listener_.on_box_state(t, s.gateway(), *b);
  if (const auto* p = std::get_if<wire::ping>(&m)) {
    send(t, s.id(), wire::pong{.nonce = p->nonce, .wall = t.wall});
  } else if (const auto* b = std::get_if<wire::bye>(&m)) {
    log_.info("bye", {{"gw", s.gateway().text()}, {"reason", name_of(b->reason)}});
    said_bye = true;
  }
  return std::nullopt;
}

std::optional<refusal> lane_table::take_hello(desk_turn& t, device_session& s, const wire::lane_hello& h) {
  if (h.protocol_version != wire::protocol_version)
    return refusal{close_reason::protocol_version, "this relay speaks version " + std::to_string(wire::protocol_version)};
  if (h.gateway != s.gateway().text()) return refusal{close_reason::identity, "the name is not the certificate's"};
  if (const auto older = live_.find(s.gateway()); older != live_.end())
    refuse(t, lanes_.at(older->second), {close_reason::replaced, "a newer lane of this gateway"});
  const auto former = former_.find(s.gateway());
  if (auto wrong = s.go_on_counting(former == former_.end() ? session_rate{} : former->second, t.now, session_limits_))
    return wrong;
  live_[s.gateway()] = s.id();
  s.become_live();
  s.firmware_version = h.firmware_version;
  greeting_.erase(s.id());
  heard_.touch(s.id(), t.now);
  log_.info("up", {{"gw", s.gateway().text()}, {"version", h.firmware_version}});
  send(t, s.id(), wire::lane_welcome{.wall = t.wall});
  listener_.on_lane_up(t, s.gateway());
  return std::nullopt;
}

// ---- ends

void lane_table::refuse(desk_turn& t, device_session& s, const refusal& why) {
  if (why.reason == close_reason::replaced || why.reason == close_reason::done)
    log_.info("closed", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}});
  else
    log_.warning("refused", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}, {"detail", why.detail},
                             {"remote", s.who().remote}});
  ++f_.count.lanes_closed[static_cast<std::size_t>(why.reason)];
  send(t, s.id(), bye_for(why));
  t.out.emplace_back(std::in_place_type<close>, s.id(), why.reason);
  forget(t, s.id());
}

void lane_table::forget(desk_turn& t, session_id id) {
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return;
  const gateway_id gateway = found->second.gateway();
  const auto live = live_.find(gateway);
  const bool stood = live != live_.end() && live->second == id;
  if (stood) live_.erase(live);
  if (found->second.live()) {
    former_[gateway] = found->second.rate();
    former_age_.touch(gateway, t.now);
  }
  greeting_.erase(id);
  heard_.erase(id);
  inside_.erase(id);
  lanes_.erase(found);
  if (stood) listener_.on_lane_down(t, gateway);
}

void lane_table::on_closed(desk_turn& t, session_id id) {
  if (!lanes_.contains(id)) return;
  ++f_.count.lanes_closed[static_cast<std::size_t>(close_reason::done)];
  forget(t, id);
}

void lane_table::on_wake(desk_turn& t) {
  const auto& l = f_.limits;
  while (const auto id = greeting_.overdue(t.now, l.hello_wait))
    refuse(t, lanes_.at(*id), {close_reason::no_hello, "no hello"});
  while (const auto id = heard_.overdue(t.now, l.lane_idle)) refuse(t, lanes_.at(*id), {close_reason::idle, "nothing heard"});
  while (const auto id = inside_.overdue(t.now, l.frame_wait)) refuse(t, lanes_.at(*id), {close_reason::idle, "half a frame"});
  while (const auto gateway = former_age_.overdue(t.now, rate_window)) {
    former_.erase(*gateway);
    former_age_.erase(*gateway);
  }
}

mono_time lane_table::next_wake() const {
  const auto& l = f_.limits;
  return std::min({greeting_.next(l.hello_wait), heard_.next(l.lane_idle), inside_.next(l.frame_wait),
                   former_age_.next(rate_window)});
}

void lane_table::on_directory(desk_turn& t) {
  std::vector<std::pair<session_id, refusal>> unwelcome;
  for (const auto& [id, s] : lanes_)
    if (auto wrong = check_certificate(s.who(), f_.world->all)) unwelcome.emplace_back(id, std::move(*wrong));
  std::ranges::sort(unwelcome, {}, &std::pair<session_id, refusal>::first);
  for (const auto& [id, wrong] : unwelcome) refuse(t, lanes_.at(id), wrong);
}

void lane_table::close_all(desk_turn& t) {
  std::vector<session_id> all;
  for (const auto& [id, s] : lanes_) all.push_back(id);
  std::ranges::sort(all);
  for (session_id id : all) refuse(t, lanes_.at(id), {close_reason::done, "the relay ends"});
}

// ---- sending

void lane_table::send(desk_turn& t, session_id id, const wire::message& m) {
  auto frame = wire::encode_frame(m);
  if (!TOMO_CHECK(frame.has_value())) return;  // nothing that a lane sends can be too long
  t.out.emplace_back(std::in_place_type<relay::send>, id, std::move(*frame));
}

bool lane_table::send_to(desk_turn& t, const gateway_id& gateway, const wire::message& m) {
  const auto found = live_.find(gateway);
  if (found == live_.end()) return false;
  send(t, found->second, m);
  return true;
}

}  // namespace tomoshibi::relay
