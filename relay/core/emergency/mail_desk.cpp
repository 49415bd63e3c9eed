#include "relay/core/emergency/mail_desk.hpp"

#include "relay/core/mail_schedule.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

std::string domain_of(const std::string& address) {
  const auto at = address.rfind('@');
  return at == std::string::npos ? std::string{"localhost"} : address.substr(at + 1);
}

std::string message_id(const emergency_mail_key& key, const std::string& from) {
  std::string out = "emergency-";
  out += name_of(key.kind);
  out += '-' + std::to_string(key.about) + '-' + std::to_string(static_cast<std::uint32_t>(key.to)) + '@';
  return out + domain_of(from);
}

// What somebody acts upon at once goes before what can be read tomorrow.
std::uint32_t rank_of(emergency_notice kind) {
  switch (kind) {
    case emergency_notice::press:
    case emergency_notice::press_accepted:
    case emergency_notice::press_not_accepted:
    case emergency_notice::press_no_centre:
    case emergency_notice::dispatch:
    case emergency_notice::dispatch_accepted:
    case emergency_notice::dispatch_not_accepted: return rank_urgent;
    case emergency_notice::trouble:
    case emergency_notice::trouble_ended:
    case emergency_notice::event_refused:
    case emergency_notice::drill_unanswered: return rank_calm;
  }
  return rank_calm;
}

}  // namespace

void mail_desk::on_start() {
  for (const auto& [key, m] : f_.rows.mails) {
    later_.insert({m.not_before, key});
    ++queued_of_[m.home];
  }
}

void mail_desk::write(desk_turn& t, mail_readers to, std::uint64_t about, emergency_facts facts) {
  const relay::home* home = f_.home(facts.where.id);
  if (home == nullptr) return;
  facts.where = *home;
  facts.gateways = f_.world->by_home.gateways_of(home->id);
  facts.has_centre = f_.account(home->id) != nullptr;
  facts.now = t.wall;
  std::vector<contact_id> readers = f_.world->by_home.contacts_of(home->id);
  readers.insert(readers.end(), f_.world->by_home.common.begin(), f_.world->by_home.common.end());
  for (const contact_id id : readers) {
    const contact& reader = f_.world->all.contacts.at(id);
    const emergency_mail_key key{facts.kind, about, id};
    if (to == mail_readers::provider && reader.role != contact_role::provider) continue;
    if (f_.rows.mails.find(key) != nullptr) continue;
    auto& queued = queued_of_[home->id];
    if (queued >= room_for(key.kind) || f_.rows.mails.size() >= f_.limits.mails_waiting_max) {
      ++f_.count.mails_given_up;
      log_.error("no_room", {{"kind", name_of(key.kind)}, {"home", static_cast<std::uint32_t>(home->id)}});
      continue;
    }
    ++queued;
    facts.to = reader;
    auto text = f_.compose(facts);
    f_.rows.put(emergency_mail_row{.key = key, .home = home->id, .queued = t.wall, .not_before = t.wall,
                                   .subject = std::move(text.subject), .body = std::move(text.body),
                                   .message_id = message_id(key, f_.mail_from)});
  }
}

// A home whose buttons flap for days at a mail server that is away still has room for its presses.
std::size_t mail_desk::room_for(emergency_notice kind) const {
  return rank_of(kind) == rank_urgent ? f_.limits.mails_waiting_of_home : f_.limits.mails_waiting_of_home / 2;
}

void mail_desk::on_durable(const emergency_mail_row& row) {
  if (row.state == emergency_mail_state::queued && !out_.contains(row.key)) later_.insert({row.not_before, row.key});
}

void mail_desk::on_not_durable() {
  for (const auto& [key, row] : f_.rows.mails)
    if (f_.rows.mails.dirty(key)) on_durable(row);
}

void mail_desk::take_due(wall_at wall) {
  while (!later_.empty() && later_.begin()->at <= wall) {
    const auto key = later_.begin()->key;
    later_.erase(later_.begin());
    if (const emergency_mail_row* m = f_.rows.mails.find(key)) ready_.put(rank_of(key.kind), m->home, key);
  }
}

void mail_desk::hand_over(desk_turn& t) {
  take_due(t.wall);
  while (!ready_.empty() && out_.size() < f_.limits.mails_in_flight_max) {
    const auto key = ready_.front().id;
    ready_.pop();
    const emergency_mail_row* m = f_.rows.mails.find(key);
    if (m == nullptr || m->state != emergency_mail_state::queued || out_.contains(key)) continue;
    const auto reader = f_.world->all.contacts.find(key.to);
    if (reader == f_.world->all.contacts.end()) {
      finish(*m, emergency_mail_state::given_up, "its reader was removed");
      continue;
    }
    out_.insert(key);
    t.out.emplace_back(submit_emergency_mail{*m, reader->second.name, reader->second.address, reader->second.lang, f_.mail_from});
  }
}

void mail_desk::on_done(desk_turn& t, const emergency_mail_key& key, const mail_result& done) {
  if (out_.erase(key) == 0) return;
  const emergency_mail_row* m = f_.rows.mails.find(key);
  if (m == nullptr || m->state != emergency_mail_state::queued) return;
  std::string why = done.server_text.substr(0, 200);
  if (done.outcome == mail_outcome::ok) {
    ++f_.count.mails_sent;
    return finish(*m, emergency_mail_state::sent, {});
  }
  if (done.outcome == mail_outcome::permanent || t.wall - m->queued >= f_.limits.mail_give_up_after)
    return finish(*m, emergency_mail_state::given_up, std::move(why));
  retry(t, *m, std::move(why));
}

void mail_desk::retry(desk_turn& t, emergency_mail_row m, std::string why) {
  ++f_.count.mails_retried;
  ++m.attempts;
  const millis pause = m.attempts == 1 ? f_.limits.mail_first_retry : retry_delay(m.attempts - 1);
  m.not_before = t.wall + pause;
  m.last_error = std::move(why);
  later_.insert({m.not_before, m.key});
  f_.rows.put(std::move(m));
}

void mail_desk::finish(emergency_mail_row m, emergency_mail_state state, std::string why) {
  if (state == emergency_mail_state::given_up) {
    ++f_.count.mails_given_up;
    log_.error("given_up", {{"kind", name_of(m.key.kind)}, {"contact", static_cast<std::uint32_t>(m.key.to)}, {"detail", why}});
  }
  if (const auto queued = queued_of_.find(m.home); queued != queued_of_.end() && --queued->second == 0) queued_of_.erase(queued);
  m.state = state;
  m.last_error = std::move(why);
  m.subject.clear();                           // names and readings are kept for as long as they are needed
  m.body.clear();
  f_.rows.put(std::move(m));
}

mono_time mail_desk::next_wake(mono_time now, wall_at wall) const {
  if (out_.size() >= f_.limits.mails_in_flight_max) return never;
  if (!ready_.empty()) return now;
  return later_.empty() ? never : now + std::max(millis{0}, later_.begin()->at - wall);
}

std::optional<wall_at> mail_desk::oldest() const {
  std::optional<wall_at> found;
  for (const auto& [key, m] : f_.rows.mails)
    if (m.state == emergency_mail_state::queued && (!found || m.queued < *found)) found = m.queued;
  return found;
}

}  // namespace tomoshibi::relay
