// The relay's shell: sessions, commits that take time and fail, a mail server that takes time and refuses, power cuts.
#include "protocol/base/check.hpp"
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/world.hpp"

namespace tomoshibi::sim {
namespace {

constexpr millis mail_delay_max = 5s;
constexpr millis service_restart = 5s;  // a relay whose store failed at the start ends, and is started again

// Whether the store holds this write; nothing: it cannot be told from outside.
std::optional<bool> holds(relay::store& s, const relay::write& w) {
  if (const auto* p = std::get_if<relay::progress_write>(&w)) {
    const auto all = s.load_gateways();
    if (!all) return std::nullopt;
    for (const auto& g : *all)
      if (g.id == p->gateway) return g.epoch == p->epoch && g.acked >= p->acked;
    return false;
  }
  if (const auto* a = std::get_if<relay::alive_write>(&w)) {
    const auto at = s.load_alive();
    return at ? std::optional<bool>{*at && **at >= a->at} : std::nullopt;
  }
  if (const auto* o = std::get_if<relay::episode_open_write>(&w)) {
    const auto e = s.find_episode(o->what.key);
    return e ? std::optional<bool>{e->has_value()} : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void world::start_relay() {
  ++relay_life_;
  auto opened = disk_->open();
  if (!opened) return start_relay_later();
  store_ = std::move(*opened);
  relay::limits limits;
  if (opt_.slow_line) {
    limits.session_idle = 1000s;
    limits.down_after = 900s;
  }
  relay_ = std::make_unique<relay::relay_core>(relay::setup{
      .store = *store_, .log = null_log(), .seed = random_.next(), .limits = limits, .mail_from = "watch@relay.example"});
  if (!relay_->on_start(now_, wall_of(now_), relay_out_)) return start_relay_later();
  find_uncertain();
  relay_said();
}

void world::start_relay_later() {
  relay_out_.clear();
  relay_.reset();
  store_.reset();
  push(now_ + service_restart, event_kind::relay_restart, 0, 0, relay_life_);
}

// A commit that failed, or whose answer nobody heard, is there as a whole or not at all.
void world::find_uncertain() {
  if (!uncertain_) return;
  std::optional<bool> there;
  for (const relay::write& w : *uncertain_) {
    const auto one = holds(*store_, w);
    if (one && there && *one != *there) torn_.push_back("a commit is there in part, at " + std::to_string(to_ms(now_)) + " ms");
    if (one) there = one;
  }
  if (there.value_or(false)) show_committed(*uncertain_);
  uncertain_.reset();
}

void world::cut_relay() {
  if (!relay_) return;
  ++statistics_.relay_cuts;
  // The commit that was out may have reached the disk before the power went, without anybody hearing of it.
  if (commit_ && random_.chance(500)) (void)commit(commit_->batch);
  commit_.reset();
  disk_->power_cut();  // first: nothing that a destructor writes is to reach it
  mails_out_.clear();
  relay_.reset();
  store_.reset();
  relay_wake_ = never;
  home_of_session_.clear();
  for (std::uint32_t h = 0; h < lines_.size(); ++h) lose_connection(h, lines_[h].healthy && random_.chance(500), false);
}

void world::relay_said() {
  for (std::size_t i = 0; i < relay_out_.size(); ++i) {
    auto& action = relay_out_[i];
    if (auto* s = std::get_if<relay::send>(&action)) {
      send_to_gateway(*s);
    } else if (auto* c = std::get_if<relay::close>(&action)) {
      const auto it = home_of_session_.find(static_cast<std::uint64_t>(c->session));
      if (it == home_of_session_.end()) continue;
      line& l = lines_[it->second];
      if (l.open && l.session == c->session)
        push(std::max(now_, l.to_gateway_free), event_kind::line_closed_to_gateway, it->second, 0, l.life);
      home_of_session_.erase(it);
    } else if (auto* w = std::get_if<relay::commit>(&action)) {
      TOMO_REQUIRE(!commit_);
      commit_ = std::move(*w);
      push(now_ + millis{random_.between(0, weights_.commit_delay_max.count())}, event_kind::commit_done, 0, 0, relay_life_);
    } else if (auto* m = std::get_if<relay::submit_mail>(&action)) {
      mails_out_.emplace(++mails_, std::move(*m));
      push(now_ + millis{random_.between(1, mail_delay_max.count())}, event_kind::mail_done, 0, mails_, relay_life_);
    }
  }
  relay_out_.clear();
  arm_relay();
}

void world::arm_relay() {
  const mono_time next = std::max(relay_->next_wake(), now_);
  if (next == never || next >= relay_wake_) return;  // an early wake does no harm, a second one costs
  relay_wake_ = next;
  push(next, event_kind::relay_wake);
}

status world::commit(const relay::write_batch& batch) {
  auto done = store_->commit(batch);
  if (!done) {
    ++statistics_.commits_failed;
    uncertain_ = batch;
    return done;
  }
  uncertain_.reset();
  show_committed(batch);
  return done;
}

void world::show_committed(const relay::write_batch& batch) {
  ++statistics_.commits;
  for (const relay::write& w : batch)
    if (const auto* s = std::get_if<relay::slots_write>(&w)) {
      const auto h = static_cast<std::uint32_t>(s->home);
      if (first_counters_[h].empty()) first_counters_[h] = read_meters(h);
    }
  for (observer* o : observers_) o->on_committed(batch);
}

// A fault of the disk took the power away.
void world::cut_relay_for_a_while() {
  cut_relay();
  push(now_ + service_restart, event_kind::relay_restart, 0, 0, relay_life_);
}

void world::finish_commit() {
  relay::commit done = std::move(*commit_);
  commit_.reset();
  if (random_.chance(weights_.commit_fails_per_mille)) disk_->arm({.kind = disk_fault_kind::fail});
  const status answer = commit(done.batch);
  if (disk_->power_is_cut()) return cut_relay_for_a_while();
  relay_->on_commit_done(now_, wall_of(now_), done.ticket, answer, relay_out_);
}

void world::finish_mail(std::uint32_t number) {
  const auto it = mails_out_.find(number);
  if (it == mails_out_.end()) return;
  const relay::submit_mail m = std::move(it->second);
  mails_out_.erase(it);
  relay::mail_result answer{.outcome = relay::mail_outcome::ok, .server_text = {}};
  if (random_.chance(weights_.mail_refused_per_mille)) {
    answer = {.outcome = relay::mail_outcome::temporary, .server_text = "451 later"};
  } else {
    ++statistics_.mails;
    for (observer* o : observers_) o->on_mail_accepted(m.what, wall_of(now_));
  }
  relay_->on_mail_done(now_, wall_of(now_), m.what.key, answer, relay_out_);
}

void world::take_relay(const event& e) {
  switch (e.kind) {
    case event_kind::relay_cut: return cut_relay();
    case event_kind::relay_restart:
      if (relay_ || (e.life != 0 && e.life != relay_life_)) return;
      return start_relay();
    case event_kind::relay_wake:
      if (!relay_ || e.at != relay_wake_) return;
      relay_wake_ = never;
      relay_->on_wake(now_, wall_of(now_), relay_out_);
      break;
    case event_kind::commit_done:
      if (!relay_ || e.life != relay_life_) return;
      finish_commit();
      break;
    case event_kind::mail_done:
      if (!relay_ || e.life != relay_life_) return;
      finish_mail(e.payload);
      break;
    default: return;
  }
  if (relay_) relay_said();
}

relay::directory world::make_directory() const {
  relay::directory all;
  for (const auto& h : homes_) {
    const home_id id{h->number()};
    const std::string number = std::to_string(h->number());
    all.homes[id] = {.id = id, .name = "home " + number, .zone_min = 540, .watch_mode = true, .watch_since = wall_of(mono_time{})};
    const gateway_id box = simulated_gateway(h->number());
    all.gateways[box] = {.id = box, .home = id, .revoked = false, .certificate_sha256 = "00"};
    wire::config config{.version = 1, .poll_interval_s = opt_.poll_interval_s, .gap_limit_s = opt_.poll_interval_s * 3, .appliances = {}};
    for (const auto& a : h->appliances()) {
      all.appliances[{id, a.spec.appliance}] = {.home = id, .spec = a.spec, .quiet_days = a.quiet_days, .added = wall_of(mono_time{})};
      config.appliances.push_back(a.spec);
    }
    all.configs[id] = config;
    for (std::uint32_t i = 0; i < family_contacts; ++i) {
      const contact_id c{h->number() * family_contacts + i + 1};
      all.contacts[c] = {.id = c, .home = id, .role = relay::contact_role::family, .name = "family", .address = "f" + number + "@example.org", .lang = {}, .quiet = {}};
    }
  }
  return all;
}

}  // namespace tomoshibi::sim
