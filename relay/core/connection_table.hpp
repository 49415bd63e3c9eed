// All connections of one port: who they are, which one stands for a gateway, and how long each may be silent. The device channel's
// sessions and the emergency lanes are both this, with messages of their own (session_table, lane_table).
//
// A connection is checked twice. On opening: the certificate's name is a known gateway, not revoked, and the certificate is
// the enrolled one. On hello: protocol version and claimed name. The newest live connection of a gateway replaces the older.
// Refusals are told to the peer (bye), logged once, counted, and cost the others nothing.
//
// `Turn` has now, wall and out, to which send and close are appended. What a table's owner hears must not call back into the
// table except send_to().
#pragma once

#include "protocol/base/check.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/probe.hpp"
#include "relay/core/device_session.hpp"
#include "relay/core/directory.hpp"
#include "relay/core/recency.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

namespace tomoshibi::relay {

// Whether this certificate is let in at all; nothing: it is.
std::optional<refusal> check_certificate(const peer& who, const directory& known);

template <class Turn>
class connection_table {
public:
  void on_open(Turn& t, session_id id, const peer& who, const directory& known);
  void on_bytes(Turn& t, session_id id, byte_view data);
  void on_closed(Turn& t, session_id id);
  void on_wake(Turn& t);
  void on_directory(Turn& t, const directory& known);  // drops who is no longer let in
  void end(Turn& t, const gateway_id& gateway, const refusal& why);  // its live connection, if it has one
  void close_all(Turn& t);

  bool send_to(Turn& t, const gateway_id& gateway, const wire::message& m);  // false: none stands
  bool stands(const gateway_id& gateway) const { return live_.contains(gateway); }
  mono_time next_wake() const;
  std::size_t size() const { return sessions_.size(); }
  std::size_t live() const { return live_.size(); }

protected:
  connection_table(session_kind kind, std::string_view module, const limits& l, health& count, log_sink& log)
      : kind_(kind), limits_(l), count_(count), log_(log, module) {}
  ~connection_table() = default;

  // What is left of the messages: hello, and whatever this port carries beside ping and bye.
  virtual std::optional<refusal> take(Turn& t, device_session& s, wire::message& m) = 0;
  virtual void on_heard(Turn& t, const gateway_id& gateway) = 0;  // any byte of a live one
  virtual void on_gone(Turn&, const gateway_id&) {}               // the one that stood for it

  // On hello. Nothing: it stands for its gateway now.
  std::optional<refusal> greet(Turn& t, device_session& s, std::uint32_t version, std::string_view claimed);
  void send(Turn& t, session_id id, const wire::message& m);
  template <class F>
  void for_each_live(F f) {
    for (const auto& [gateway, id] : live_) f(sessions_.at(id));
  }
  const logger& log() const { return log_; }

private:
  std::optional<refusal> take_any(Turn& t, device_session& s, wire::message& m, bool& said_bye);
  void refuse(Turn& t, device_session& s, const refusal& why);
  void forget(Turn& t, session_id id);

  session_kind kind_;
  const limits& limits_;
  health& count_;
  logger log_;
  std::unordered_map<session_id, device_session> sessions_;
  std::map<gateway_id, session_id> live_;
  recency<session_id> greeting_;  // opened, no hello yet
  recency<session_id> heard_;     // live
  recency<session_id> inside_;    // live, a frame has begun and is not whole
  std::map<gateway_id, session_rate> former_;  // of connections that ended within the last minute
  recency<gateway_id> former_age_;
};

// ---- opening and bytes

template <class Turn>
void connection_table<Turn>::on_open(Turn& t, session_id id, const peer& who, const directory& known) {
  ++count_.sessions_opened;
  if (!TOMO_CHECK(!sessions_.contains(id))) return;
  auto wrong = check_certificate(who, known);
  if (!wrong && sessions_.size() >= limits_.sessions_max)
    wrong = refusal{close_reason::overload, "more than " + std::to_string(limits_.sessions_max) + " connections"};
  const auto name = gateway_id::parse(who.subject_cn).value_or(gateway_id{});
  device_session& s = sessions_.try_emplace(id, id, name, who, kind_).first->second;
  if (wrong) return refuse(t, s, *wrong);
  greeting_.touch(id, t.now);
}

template <class Turn>
void connection_table<Turn>::on_bytes(Turn& t, session_id id, byte_view data) {
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
    if (auto wrong = take_any(t, s, **m, said_bye)) return refuse(t, s, *wrong);
    if (said_bye) {
      t.out.emplace_back(std::in_place_type<close>, id, close_reason::done);
      ++count_.sessions_closed[static_cast<std::size_t>(close_reason::done)];
      return forget(t, id);
    }
  }
  if (!s.live()) return;
  if (!s.inside_frame()) inside_.erase(id);
  else if (s.frames_taken() != had || !inside_.contains(id)) inside_.touch(id, t.now);
  heard_.touch(id, t.now);
  on_heard(t, s.gateway());
}

template <class Turn>
std::optional<refusal> connection_table<Turn>::take_any(Turn& t, device_session& s, wire::message& m, bool& said_bye) {
  if (const auto* p = std::get_if<wire::ping>(&m)) {
    send(t, s.id(), wire::pong{.nonce = p->nonce, .wall = t.wall});
  } else if (const auto* b = std::get_if<wire::bye>(&m)) {
    log_.info("bye", {{"gw", s.gateway().text()}, {"reason", name_of(b->reason)}});
    said_bye = true;
  } else {
    return take(t, s, m);
  }
  return std::nullopt;
}

template <class Turn>
std::optional<refusal> connection_table<Turn>::greet(Turn& t, device_session& s, std::uint32_t version, std::string_view claimed) {
  if (version != wire::protocol_version)
    return refusal{close_reason::protocol_version, "this relay speaks version " + std::to_string(wire::protocol_version)};
  if (claimed != s.gateway().text()) return refusal{close_reason::identity, "the name is not the certificate's"};
  if (const auto older = live_.find(s.gateway()); older != live_.end()) {
    hit(probe::session_replaced);
    refuse(t, sessions_.at(older->second), {close_reason::replaced, "a newer connection of this gateway"});
  }
  const auto former = former_.find(s.gateway());
  if (auto wrong = s.go_on_counting(former == former_.end() ? session_rate{} : former->second, t.now, limits_)) return wrong;
  live_[s.gateway()] = s.id();
  s.become_live();
  greeting_.erase(s.id());
  heard_.touch(s.id(), t.now);
  return std::nullopt;
}

// ---- ends

template <class Turn>
void connection_table<Turn>::refuse(Turn& t, device_session& s, const refusal& why) {
  if (why.reason == close_reason::replaced || why.reason == close_reason::done)
    log_.info("closed", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}});
  else
    log_.warning("refused", {{"gw", s.gateway().text()}, {"reason", name_of(why.reason)}, {"detail", why.detail},
                             {"remote", s.who().remote}});
  ++count_.sessions_closed[static_cast<std::size_t>(why.reason)];
  send(t, s.id(), bye_for(why));
  t.out.emplace_back(std::in_place_type<close>, s.id(), why.reason);
  forget(t, s.id());
}

template <class Turn>
void connection_table<Turn>::forget(Turn& t, session_id id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
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
  sessions_.erase(found);
  if (stood) on_gone(t, gateway);
}

template <class Turn>
void connection_table<Turn>::on_closed(Turn& t, session_id id) {
  if (!sessions_.contains(id)) return;
  ++count_.sessions_closed[static_cast<std::size_t>(close_reason::done)];
  forget(t, id);
}

template <class Turn>
void connection_table<Turn>::on_wake(Turn& t) {
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

template <class Turn>
mono_time connection_table<Turn>::next_wake() const {
  return std::min({greeting_.next(limits_.hello_wait), heard_.next(limits_.session_idle), inside_.next(limits_.frame_wait),
                   former_age_.next(rate_window)});
}

template <class Turn>
void connection_table<Turn>::on_directory(Turn& t, const directory& known) {
  std::vector<std::pair<session_id, refusal>> unwelcome;
  for (const auto& [id, s] : sessions_)
    if (auto wrong = check_certificate(s.who(), known)) unwelcome.emplace_back(id, std::move(*wrong));
  std::ranges::sort(unwelcome, {}, &std::pair<session_id, refusal>::first);
  for (const auto& [id, wrong] : unwelcome) refuse(t, sessions_.at(id), wrong);
}

template <class Turn>
void connection_table<Turn>::end(Turn& t, const gateway_id& gateway, const refusal& why) {
  if (const auto found = live_.find(gateway); found != live_.end()) refuse(t, sessions_.at(found->second), why);
}

template <class Turn>
void connection_table<Turn>::close_all(Turn& t) {
  std::vector<session_id> all;
  for (const auto& [id, s] : sessions_) all.push_back(id);
  std::ranges::sort(all);
  for (session_id id : all) refuse(t, sessions_.at(id), {close_reason::done, "the relay ends"});
}

// ---- sending

template <class Turn>
void connection_table<Turn>::send(Turn& t, session_id id, const wire::message& m) {
  auto frame = wire::encode_frame(m);
  if (!frame) {
    // Only a configuration can be too long; tomoshibi-ctl refuses to make one.
    log_.error("too_long_to_send", {{"session", static_cast<std::uint64_t>(id)}, {"kind", m.index()}});
    return;
  }
  count_.bytes_out += frame->size();
  t.out.emplace_back(std::in_place_type<relay::send>, id, std::move(*frame));
}

template <class Turn>
bool connection_table<Turn>::send_to(Turn& t, const gateway_id& gateway, const wire::message& m) {
  const auto found = live_.find(gateway);
  if (found == live_.end()) return false;
  send(t, found->second, m);
  return true;
}

}  // namespace tomoshibi::relay
