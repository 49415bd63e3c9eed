#include "relay/core/mail_queue.hpp"

#include "protocol/base/probe.hpp"
#include "relay/core/mail_schedule.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

constexpr millis behind_opening = 1min;  // how long an all-clear waits before it looks again for its opening mail
constexpr std::int64_t jitter_per_cent = 10;

}  // namespace

void mail_queue::add(const mail& m) {
  if (m.state != mail_state::queued || settled_.contains(m.key)) return;
  if (!mails_.try_emplace(m.key, m).second) return;
  schedule(m, m.not_before);
  if (m.attempts != 0) tried_since_.try_emplace(m.key, m.queued);
}

// Nothing: it may go now.
std::optional<wall_at> mail_queue::hold_until(const turn& t, const mail& m) const {
  if (m.key.edge == mail_edge::closed &&
      mails_.contains({.episode = m.key.episode, .edge = mail_edge::opened, .to = m.key.to})) {
    hit(probe::all_clear_waits);
    return t.wall + behind_opening;
  }
  if (m.urgent) return std::nullopt;
  const auto& reader = known_.contacts.at(m.key.to);
  const auto where = known_.homes.find(m.key.episode.home);
  if (where == known_.homes.end()) return std::nullopt;
  const wall_at free = after_quiet_hours(t.wall, reader.quiet, where->second.zone_min);
  if (free == t.wall) return std::nullopt;
  hit(probe::mail_waits_for_morning);
  return free;
}

void mail_queue::on_wake(turn& t) {
  while (!due_.empty() && due_.begin()->at <= t.wall && out_.size() < limits_.mails_in_flight_max) {
    const mail_key key = due_.begin()->key;
    due_.erase(due_.begin());
    mail& m = mails_.at(key);
    const auto reader = known_.contacts.find(key.to);
    if (reader == known_.contacts.end()) {
      finish(m, mail_state::cancelled, "the reader was removed");
      continue;
    }
    if (const auto held = hold_until(t, m)) {
      schedule(m, *held);
      continue;
    }
    out_.insert(key);
    tried_since_.try_emplace(key, t.wall);
    const contact& to = reader->second;
    t.out.emplace_back(std::in_place_type<submit_mail>, m, to.name, to.address, to.lang, from_);
  }
}

void mail_queue::on_done(turn& t, const mail_key& key, const mail_result& done) {
  if (out_.erase(key) == 0) return;
  mail& m = mails_.at(key);
  ++m.attempts;
  std::string text = done.server_text.substr(0, limits_.mail_error_bytes_max);
  switch (done.outcome) {
    case mail_outcome::ok: return finish(m, mail_state::sent, {});
    case mail_outcome::permanent: return finish(m, mail_state::given_up, std::move(text));
    case mail_outcome::temporary: return retry(t, m, std::move(text));
  }
}

void mail_queue::retry(turn& t, mail& m, std::string why) {
  if (t.wall - m.queued >= limits_.mail_give_up_after) return finish(m, mail_state::given_up, std::move(why));
  hit(probe::mail_retried);
  ++count_.mails_retried;
  const millis delay = retry_delay(m.attempts);
  m.not_before = t.wall + delay + delay * random_.between(0, jitter_per_cent) / 100;
  m.last_error = std::move(why);
  log_.warning("retry", {{"to", static_cast<std::uint32_t>(m.key.to)}, {"attempts", m.attempts},
                         {"in_ms", (m.not_before - t.wall).count()}, {"err", m.last_error}});
  store_result(m);
  schedule(m, m.not_before);
}

void mail_queue::finish(mail& m, mail_state state, std::string why) {
  m.state = state;
  m.last_error = std::move(why);
  const log_field to{"to", static_cast<std::uint32_t>(m.key.to)};
  const bool test = m.key.edge == mail_edge::test;  // belongs to no episode
  const log_field kind{"kind", test ? std::string_view{"test"} : name_of(m.key.episode.kind)};
  if (state == mail_state::sent) {
    ++count_.mails_sent;
    log_.info("sent", {to, kind, {"attempts", m.attempts}});
  } else if (state == mail_state::given_up) {
    ++count_.mails_given_up;
    log_.error("given_up", {to, kind, {"attempts", m.attempts}, {"err", m.last_error}});
  } else {
    log_.info("cancelled", {to, kind});
  }
  store_result(m);
  settled_.insert(m.key);
  tried_since_.erase(m.key);
  mails_.erase(mail_key{m.key});  // a copy: the key lies inside what is erased
}

void mail_queue::store_result(const mail& m) {
  commits_.add(mail_result_write{.key = m.key, .state = m.state, .attempts = m.attempts, .not_before = m.not_before,
                                 .last_error = m.last_error});
}

std::optional<wall_at> mail_queue::next_due() const {
  if (due_.empty() || out_.size() >= limits_.mails_in_flight_max) return std::nullopt;
  return due_.begin()->at;
}

std::optional<wall_at> mail_queue::late_since(wall_at now) const {
  std::optional<wall_at> since;
  for (const auto& [key, at] : tried_since_) since = std::min(since.value_or(at), at);
  // Due and not handed out: as many as may be are out.
  if (!due_.empty() && due_.begin()->at <= now) since = std::min(since.value_or(now), due_.begin()->at);
  return since;
}

}  // namespace tomoshibi::relay
