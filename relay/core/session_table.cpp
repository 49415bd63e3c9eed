#include "relay/core/session_table.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::relay {

// ---- opening

std::optional<refusal> check_certificate(const peer& who, const directory& known) {
  const auto name = gateway_id::parse(who.subject_cn);
  const auto found = name ? known.gateways.find(*name) : known.gateways.end();
  if (found == known.gateways.end()) return refusal{close_reason::unknown_gateway, "no gateway of this name"};
  if (found->second.revoked) return refusal{close_reason::revoked, "this gateway's certificate is revoked"};
  if (found->second.certificate_sha256.empty() || found->second.certificate_sha256 != who.certificate_sha256)
    return refusal{close_reason::identity, "not the certificate that was issued last"};
  return std::nullopt;
}

void session_table::on_open(turn& t, session_id id, const peer& who, const directory& known) {
  ++count_.sessions_opened;
  if (!TOMO_CHECK(!sessions_.contains(id))) return;
  auto wrong = check_certificate(who, known);
  if (!wrong && sessions_.size() >= limits_.sessions_max)
    wrong = refusal{close_reason::overload, "more than " + std::to_string(limits_.sessions_max) + " connections"};
  const auto name = gateway_id::parse(who.subject_cn).value_or(gateway_id{});
  device_session& s = sessions_.try_emplace(id, id, name, who).first->second;
  if (wrong) return refuse(t, s, *wrong);
  greeting_.touch(id, t.now);
}

// ---- bytes

void session_table::on_bytes(turn& t, session_id id, byte_view data) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;  // bytes that were on their way when we hung up
  device_session& s = found->second;
  count_.bytes_in += data.size();
  const std::uint64_t had = s.frames_taken();
  if (auto wrong = s.admit(t.now, data.size(), limits_)) return refuse(t, s, *wrong);
  for (;;) {
    auto m = s.next(data, limits_, count_);
    if (!m) return refuse(t, s, m.error());
    if (!*m) break;
    bool said_bye = false;
    if (auto wrong = take(t, s, **m, said_bye)) return refuse(t, s, *wrong);
    if (said_bye) {
      t.out.emplace_back(std::in_place_type<close>, id, close_reason::done);
      ++count_.sessions_closed[static_cast<std::size_t>(close_reason::done)];
      return forget(id, t.now);
    }
  }
  if (!s.live()) return;
  if (!s.inside_frame()) inside_.erase(id);
  else if (s.frames_taken() != had || !inside_.contains(id)) inside_.touch(id, t.now);
  heard_.touch(id, t.now);
  listener_.on_heard(t, s.gateway());
}

std::optional<refusal> session_table::take(turn& t, device_session& s, wire::message& m, bool& said_bye) {
  if (const auto* h = std::get_if<wire::hello>(&m)) return take_hello(t, s, *h);
  if (auto* r = std::get_if<wire::records>(&m)) return listener_.on_records(t, s.gateway(), std::move(*r));
  if (const auto* p = std::get_if<wire::ping>(&m)) {
    send(t, s.id(), wire::pong{.nonce = p->nonce, .wall = t.wall});
  } else if (const auto* c = std::get_if<wire::config_applied>(&m)) {
    listener_.on_config_applied(t, s.gateway(), *c);
  } else if (const auto* b = std::get_if<wire::bye>(&m)) {
    log_.info("bye", {{"gw", s.gateway().text()}, {"reason", name_of(b->reason)}});
    said_bye = true;
  }
  return std::nullopt;
}

std::optional<refusal> session_table::take_hello(turn& t, device_session& s, const wire::hello& h) {
  if (h.protocol_version != wire::protocol_version)
    return refusal{close_reason::protocol_version, "this relay speaks version " + std::to_string(wire::protocol_version)};
  if (h.gateway != s.gateway().text()) return refusal{close_reason::identity, "the name is not the certificate's"};

  if (const auto older = live_.find(s.gateway()); older != live_.end()) {
    hit(probe::session_replaced);
    refuse(t, sessions_.at(older->second), {close_reason::replaced, "a newer connection of this gateway"});
  }
  const auto former = former_.find(s.gateway());
  if (auto wrong = s.go_on_counting(former == former_.end() ? session_rate{} : former->second, t.now, limits_)) return wrong;
  live_[s.gateway()] = s.id();
  s.become_live();
  s.config_version = h.config_version;
  s.firmware_version = h.firmware_version;
  greeting_.erase(s.id());
  heard_.touch(s.id(), t.now);
  log_.info("live", {{"gw", s.gateway().text()}, {"version", h.firmware_version}, {"next_seq", h.next_seq}});
  send(t, s.id(), listener_.on_hello(t, s.gateway(), h));
  push_config(t, s);
  return std::nullopt;
}

void session_table::push_config(turn& t, device_session& s) {
  const wire::config* c = listener_.config_for(s.gateway());
  if (!c || c->version == s.config_version) return;
  s.config_version = c->version;
  send(t, s.id(), *c);
}

// ---- ends

void session_table::refuse(turn& t, device_session& s, const refusal& why) {
  if (why.reason == close_reason::replaced || why.reason == close_reason::done)
    log_.info("closed", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}});
  else
    log_.warning("refused", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}, {"detail", why.detail},
                             {"remote", s.who().remote}});
  ++count_.sessions_closed[static_cast<std::size_t>(why.reason)];
  send(t, s.id(), bye_for(why));
  t.out.emplace_back(std::in_place_type<close>, s.id(), why.reason);
  forget(s.id(), t.now);
}

void session_table::forget(session_id id, mono_time now) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto live = live_.find(found->second.gateway());
  if (live != live_.end() && live->second == id) live_.erase(live);
  if (found->second.live()) {
    former_[found->second.gateway()] = found->second.rate();
    former_age_.touch(found->second.gateway(), now);
  }
  greeting_.erase(id);
  heard_.erase(id);
  inside_.erase(id);
  sessions_.erase(found);
  count_.sessions = sessions_.size();
}

void session_table::on_closed(session_id id, mono_time now) {
  if (!sessions_.contains(id)) return;
  ++count_.sessions_closed[static_cast<std::size_t>(close_reason::done)];
  forget(id, now);
}

void session_table::on_wake(turn& t) {
  while (const auto id = greeting_.overdue(t.now, limits_.hello_wait))
    refuse(t, sessions_.at(*id), {close_reason::no_hello, "no hello"});
  while (const auto id = heard_.overdue(t.now, limits_.session_idle))
    refuse(t, sessions_.at(*id), {close_reason::idle, "nothing heard"});
  while (const auto id = inside_.overdue(t.now, limits_.frame_wait))
    refuse(t, sessions_.at(*id), {close_reason::idle, "half a frame"});
  while (const auto gateway = former_age_.overdue(t.now, rate_window)) {
    former_.erase(*gateway);
    former_age_.erase(*gateway);
  }
}

mono_time session_table::next_wake() const {
  return std::min({greeting_.next(limits_.hello_wait), heard_.next(limits_.session_idle), inside_.next(limits_.frame_wait),
                   former_age_.next(rate_window)});
}

void session_table::on_directory(turn& t, const directory& known) {
  std::vector<std::pair<session_id, refusal>> unwelcome;
  for (const auto& [id, s] : sessions_)
    if (auto wrong = check_certificate(s.who(), known)) unwelcome.emplace_back(id, std::move(*wrong));
  std::sort(unwelcome.begin(), unwelcome.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [id, wrong] : unwelcome) refuse(t, sessions_.at(id), wrong);
  for (const auto& [gateway, id] : live_) push_config(t, sessions_.at(id));
}

void session_table::end(turn& t, const gateway_id& gateway, const refusal& why) {
  if (const auto found = live_.find(gateway); found != live_.end()) refuse(t, sessions_.at(found->second), why);
}

void session_table::close_all(turn& t) {
  std::vector<session_id> all;
  for (const auto& [id, s] : sessions_) all.push_back(id);
  std::sort(all.begin(), all.end());
  for (session_id id : all) refuse(t, sessions_.at(id), {close_reason::done, "the relay ends"});
}

// ---- sending

void session_table::send(turn& t, session_id id, const wire::message& m) {
  auto frame = wire::encode_frame(m);
  if (!frame) {
    // Only a configuration can be too long; tomoshibi-ctl refuses to make one.
    log_.error("too_long_to_send", {{"session", static_cast<std::uint64_t>(id)}, {"kind", m.index()}});
    return;
  }
  count_.bytes_out += frame->size();
  t.out.emplace_back(std::in_place_type<relay::send>, id, std::move(*frame));
}

bool session_table::send_to(turn& t, const gateway_id& gateway, const wire::message& m) {
  const auto found = live_.find(gateway);
  if (found == live_.end()) return false;
  send(t, found->second, m);
  return true;
}

const device_session* session_table::live_session(const gateway_id& gateway) const {
  const auto found = live_.find(gateway);
  return found == live_.end() ? nullptr : &sessions_.at(found->second);
}

}  // namespace tomoshibi::relay
