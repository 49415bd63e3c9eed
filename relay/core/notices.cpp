#include "relay/core/notices.hpp"

#include "protocol/base/check.hpp"
#include "relay/core/mail_schedule.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

std::string domain_of(const std::string& address) {
  const auto at = address.rfind('@');
  return at == std::string::npos || at + 1 == address.size() ? "localhost" : address.substr(at + 1);
}

// Made of the key alone, so that it is the same over retries and restarts.
std::string message_id(const mail_key& key, const std::string& domain) {
  const episode_key& e = key.episode;
  return std::string{name_of(e.kind)} + "." + std::to_string(static_cast<std::uint32_t>(e.home)) + "." +
         std::to_string(static_cast<std::uint16_t>(e.appliance)) + "." + std::to_string(e.since.value) +
         (key.edge == mail_edge::opened ? ".opened." : ".closed.") + std::to_string(static_cast<std::uint32_t>(key.to)) +
         "@" + domain;
}

}  // namespace

bool is_told(const contact& to, const episode_key& key) {
  if (to.home && *to.home != key.home) return false;
  switch (key.kind) {
    case episode_kind::unused:
    case episode_kind::blind_family: return to.role == contact_role::family && to.home;
    case episode_kind::blind_provider: return to.role == contact_role::provider;
    case episode_kind::device_fault:
    case episode_kind::device_silent: return to.role == contact_role::provider || to.home;
  }
  return false;
}

notices::notices(health& count, log_sink& log, commit_queue& commits, store& from, const known_world& world,
                 compose_function compose, const std::string& mail_from)
    : count_(count), log_(log, "notice"), commits_(commits), store_(from), world_(world), compose_(compose),
      mail_domain_(domain_of(mail_from)) {}

void notices::change_mail_from(const std::string& address) { mail_domain_ = domain_of(address); }

status notices::on_start() {
  auto stored = store_.load_open_episodes();
  if (!stored) return std::unexpected(stored.error());
  for (const episode& e : *stored) {
    auto told = store_.told(e.key);
    if (!told) return std::unexpected(told.error());
    open_[subject_of(e.key)] = {e, {told->begin(), told->end()}};
  }
  return {};
}

const episode* notices::open_about(home_id home, episode_kind kind, appliance_id appliance) const {
  const auto found = open_.find({home, kind, appliance});
  return found == open_.end() ? nullptr : &found->second.what;
}

result<std::optional<episode>> notices::find(const episode_key& key) {
  const auto open = open_.find(subject_of(key));
  if (open != open_.end() && open->second.what.key == key) return std::optional{open->second.what};
  const auto recent = recent_.find(key);
  if (recent != recent_.end()) return std::optional{recent->second.what};
  auto stored = store_.find_episode(key);
  if (stored) return stored;
  ++count_.store_reads_failed;
  log_.error("read_failed", {{"err", name_of(stored.error().code)}, {"detail", stored.error().detail}});
  return stored;
}

void notices::remember(const episode& e) {
  auto& held = recent_[e.key];
  held.what = e;
  ++held.writes;
}

void notices::on_committed(const write& w) {
  const episode_key* key = nullptr;
  if (const auto* o = std::get_if<episode_open_write>(&w)) key = &o->what.key;
  if (const auto* c = std::get_if<episode_close_write>(&w)) key = &c->key;
  if (!key) return;
  const auto found = recent_.find(*key);
  if (found != recent_.end() && --found->second.writes == 0) recent_.erase(found);
}

// ---- edges

void notices::open(turn& t, const episode& e, const others& seen) {
  const auto [at, fresh] = open_.try_emplace(subject_of(e.key), entry{e, {}});
  if (!TOMO_CHECK(fresh)) return;
  ++count_.episodes_opened;
  commits_.add(episode_open_write{e});
  remember(e);
  const auto to = readers(e);
  for (const contact* c : to) {
    write_mail(t, e, mail_edge::opened, *c, seen);
    at->second.told.insert(c->id);
  }
  log_.warning("opened", {{"kind", name_of(e.key.kind)}, {"home", static_cast<std::uint32_t>(e.key.home)},
                          {"appliance", static_cast<std::uint16_t>(e.key.appliance)}, {"since", e.key.since.value},
                          {"cause", name_of(e.cause)}, {"readers", to.size()}});
  if (to.empty()) log_.error("nobody_to_tell", {{"home", static_cast<std::uint32_t>(e.key.home)}});
}

void notices::close(turn& t, episode_key key, slot_index by, const others& seen) { end(t, key, by, &seen); }
void notices::cancel(turn& t, episode_key key) { end(t, key, std::nullopt, nullptr); }

// The key by value: it often is the open entry's own.
void notices::end(turn& t, episode_key key, std::optional<slot_index> by, const others* seen) {
  const auto found = open_.find(subject_of(key));
  if (!TOMO_CHECK(found != open_.end() && found->second.what.key == key)) return;
  entry ended = std::move(found->second);
  open_.erase(found);
  ++count_.episodes_closed;
  ended.what.closed = t.wall;
  ended.what.closed_by = by;
  ended.what.cancelled = !seen;
  commits_.add(episode_close_write{.key = key, .closed = t.wall, .closed_by = by, .cancelled = !seen});
  remember(ended.what);
  log_.info(seen ? "closed" : "cancelled", {{"kind", name_of(key.kind)}, {"home", static_cast<std::uint32_t>(key.home)},
                                            {"appliance", static_cast<std::uint16_t>(key.appliance)},
                                            {"since", key.since.value}});
  if (!seen) return;
  for (contact_id id : ended.told) {
    const auto to = world_.all.contacts.find(id);
    if (to != world_.all.contacts.end()) write_mail(t, ended.what, mail_edge::closed, to->second, *seen);
  }
}

// ---- mails

std::vector<const contact*> notices::readers(const episode& e) const {
  std::vector<const contact*> out;
  const auto consider = [this, &e, &out](contact_id id) {
    const contact& c = world_.all.contacts.at(id);
    if (is_told(c, e.key)) out.push_back(&c);
  };
  std::ranges::for_each(world_.by_home.contacts_of(e.key.home), consider);
  std::ranges::for_each(world_.by_home.common, consider);
  return out;
}

void notices::write_mail(turn& t, const episode& e, mail_edge edge, const contact& to, const others& seen) {
  const auto where = world_.all.homes.find(e.key.home);
  if (where == world_.all.homes.end()) return;
  notice_facts facts{.where = where->second, .to = to, .edge = edge, .what = e, .appliance_label = {}, .others = seen,
                     .gateways = world_.by_home.gateways_of(e.key.home), .now = t.wall};
  const auto about = world_.all.appliances.find({e.key.home, e.key.appliance});
  if (about != world_.all.appliances.end()) facts.appliance_label = about->second.spec.label;

  notice_text text = compose_(facts);
  mail m;
  m.key = {.episode = e.key, .edge = edge, .to = to.id};
  m.queued = t.wall;
  m.not_before = after_quiet_hours(t.wall, to.quiet, where->second.zone_min);
  m.subject = std::move(text.subject);
  m.body = std::move(text.body);
  m.message_id = message_id(m.key, mail_domain_);
  commits_.add(mail_queue_write{std::move(m)});
}

std::size_t notices::count_open(episode_kind kind) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(open_, [kind](const auto& e) { return e.second.what.key.kind == kind; }));
}

}  // namespace tomoshibi::relay
