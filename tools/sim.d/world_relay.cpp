// The relay's shell: sessions, commits that take time and fail, a mail server that takes time and refuses, power cuts.
#include "protocol/base/check.hpp"
#include "tools/sim.d/world.hpp"

namespace tomoshibi::sim {
namespace {

constexpr millis power_back = 20s;      // after a cut that a fault of the disk or of an action made
constexpr millis service_restart = 5s;  // a relay whose store failed at the start ends, and is started again

// Whether the store holds this write; nothing: it cannot be told from outside.
// `clock_goes_back`: signs of life do not ascend then, and an older batch may have left a later one.
std::optional<bool> holds(relay::store& s, const relay::write& w, bool clock_goes_back) {
  if (const auto* p = std::get_if<relay::progress_write>(&w)) {
    const auto all = s.load_gateways();
    if (!all) return std::nullopt;
    for (const auto& g : *all)
      if (g.id == p->gateway) return g.epoch == p->epoch && g.acked >= p->acked;
    return false;
  }
  if (const auto* a = std::get_if<relay::alive_write>(&w)) {
    const auto at = s.load_alive();
    if (!at || clock_goes_back) return std::nullopt;
    return *at && **at >= a->at;
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
  const bool started = [&] {
    const memory_turn turn{memory_owner::relay};
    relay_ = std::make_unique<relay::relay_core>(relay::setup{
        .store = *store_, .log = null_log(), .seed = random_.next(), .limits = limits, .mail_from = "watch@relay.example"});
    return relay_->on_start(now_, relay_wall(), relay_out_).has_value();
  }();
  if (!started) return start_relay_later();
  find_uncertain();
  for (observer* o : observers_) o->on_relay_up(wall());
  relay_said();
}

void world::start_relay_later() {
  relay_out_.clear();
  relay_.reset();
  store_.reset();
  push(now_ + service_restart, event_kind::relay_restart);
}

// A commit that failed, or whose answer nobody heard, is there as a whole or not at all.
void world::find_uncertain() {
  if (!uncertain_) return;
  std::optional<bool> there;
  for (const relay::write& w : *uncertain_) {
    const auto one = holds(*store_, w, plan_.relay_clock_jumps());
    if (one && there && *one != *there) found("a commit is there in part, at " + std::to_string(to_ms(now_)) + " ms");
    if (one) there = one;
  }
  if (there.value_or(false)) show_committed(*uncertain_);
  uncertain_.reset();
}

// ---- power

void world::relay_off(mono_time until) {
  relay_back_ = std::max(relay_back_, until);
  push(relay_back_, event_kind::relay_restart);
  if (!relay_) return;
  ++statistics_.relay_cuts;
  // The commit that was out may have reached the disk before the power went, without anybody hearing of it.
  if (commit_ && random_.chance(500)) (void)commit(*commit_->batch);
  commit_.reset();
  disk_->power_cut();  // first: nothing that a destructor writes is to reach it
  mails_out_.clear();
  relay_out_.clear();
  relay_.reset();
  store_.reset();
  relay_wake_ = never;
  home_of_session_.clear();
  for (std::uint32_t h = 0; h < lines_.size(); ++h) lose_connection(h, lines_[h].broken == 0 && random_.chance(500), false);
  for (observer* o : observers_) o->on_relay_down(wall());
}

// In good order: it says bye, stores what it knows, and ends when it is idle, or when its patience is over.
void world::stop_relay(mono_time until) {
  constexpr millis patience = 5s;
  relay_back_ = std::max(relay_back_, until);
  push(relay_back_, event_kind::relay_restart);
  if (!relay_) return;
  relay_turn([&](auto& r) { r.on_stop(now_, relay_wall(), relay_out_); });
  relay_said();
  push(std::min(now_ + patience, until), event_kind::relay_stopped, 0, 0, relay_life_);
}

// False: the power has just gone.
bool world::relay_does() {
  if (relay_cut_after_ == 0 || --relay_cut_after_ > 0) return true;
  relay_off(now_ + power_back);
  return false;
}

// ---- turns

void world::relay_said() {
  for (std::size_t i = 0; i < relay_out_.size(); ++i) {
    if (!relay_does()) return;
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
      push(now_ + millis{random_.between(0, plan_.commit_delay_max.count())}, event_kind::commit_done, 0, 0, relay_life_);
    } else if (auto* m = std::get_if<relay::submit_mail>(&action)) {
      for (observer* o : observers_) o->on_mail_submitted(m->what, wall());
      mails_out_.emplace(++mails_, std::move(*m));
      const millis late = weather_.delay > 0ms ? millis{random_.between(0, weather_.delay.count())} : 0ms;
      push(now_ + millis{random_.between(1, plan_.mail_delay_max.count())} + late, event_kind::mail_done, 0, mails_, relay_life_);
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

void world::take_relay(const event& e) {
  if (opt_.leaks == options::leak::relay) leak(memory_owner::relay);
  switch (e.kind) {
    case event_kind::relay_restart:
      if (!relay_ && now_ >= relay_back_) start_relay();
      return;
    case event_kind::relay_stopped:
      if (relay_ && e.life == relay_life_) relay_off(relay_back_);
      return;
    case event_kind::relay_wake:
      if (!relay_ || e.at != relay_wake_) return;
      relay_wake_ = never;
      relay_turn([&](auto& r) { r.on_wake(now_, relay_wall(), relay_out_); });
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

// ---- its clock

void world::set_relay_step(millis by) {
  relay_step_ = by;
  for (observer* o : observers_) o->on_relay_clock(wall(), relay_step_);
}

// A gateway without a clock of its own believes what it is told with Welcome and Pong. It is right again when it has heard
// the right time; one word may be lost or too late to be believed, so some in the same connection are waited for.
void world::note_told_time(std::uint32_t h) {
  constexpr std::uint32_t right_words_heard = 4;
  if (homes_[h]->traits().time_service) return;
  box& b = boxes_[h];
  home_truth& t = homes_[h]->truth();
  const millis by = std::chrono::abs(relay_step_);
  if (by > 0ms) {
    b.right_words = 0;
    if (b.misled && by <= b.misled_by_max) return;
    b.misled_by_max = by;
    // One that knew no time yet books all that it has seen since its start by this word.
    const wall_at from = (b.settled ? wall() : wall_of(b.lost_from)) - by - 2 * slot_length;
    for (stretches* s : {&t.clock_doubt, &t.may_be_unknown, &t.may_be_absent}) {
      if (b.misled) s->add(from, wall());  // by more than before, so it reaches further back
      else s->begin(from);
    }
    b.misled = true;
    for (auto& m : t.meters) m.unbounded_below = true;
  } else if (b.misled && ++b.right_words == right_words_heard) {
    b.misled = false;
    const wall_at until = wall() + b.misled_by_max + 2 * slot_length;
    for (stretches* s : {&t.clock_doubt, &t.may_be_unknown, &t.may_be_absent}) s->end(until);
    b.misled_by_max = {};
  }
}

// ---- commits

status world::commit(const relay::write_batch& batch) {
  auto done = store_->commit(batch);
  if (!done) {
    ++statistics_.commits_failed;
    uncertain_ = batch;
    for (observer* o : observers_) o->on_commit_failed(wall());
    return done;
  }
  uncertain_.reset();
  show_committed(batch);
  return done;
}

void world::show_committed(const relay::write_batch& batch) {
  ++statistics_.commits;
  for (const relay::write& w : batch) {
    const auto* s = std::get_if<relay::slots_write>(&w);
    const auto* g = std::get_if<relay::gap_write>(&w);
    if (!s && !g) continue;
    const auto h = static_cast<std::uint32_t>(s ? s->home : g->home);
    const slot_index last = s ? s->slot.slot : g->gap.first_slot + static_cast<std::int32_t>(g->gap.count) - 1;
    boxes_[h].told = std::max(boxes_[h].told.value_or(last), last);
    if (!s || !first_counters_[h].empty()) continue;
    for (std::size_t i = 0; i < homes_[h]->appliances().size(); ++i)
      first_counters_[h].push_back(homes_[h]->metered(i) ? homes_[h]->counted_wh(i, now_) : 0);
  }
  for (observer* o : observers_) o->on_committed(batch, wall());
}

void world::finish_commit() {
  relay::commit done = std::move(*commit_);
  commit_.reset();
  const status answer = commit(*done.batch);
  if (disk_->power_is_cut()) return relay_off(now_ + power_back);
  relay_turn([&](auto& r) { r.on_commit_done(now_, relay_wall(), done.ticket, answer, relay_out_); });
}

// ---- mails

void world::finish_mail(std::uint32_t number) {
  const auto it = mails_out_.find(number);
  if (it == mails_out_.end()) return;
  const relay::submit_mail m = std::move(it->second);
  mails_out_.erase(it);
  relay::mail_result answer{.outcome = relay::mail_outcome::ok, .server_text = {}};
  if (random_.chance(weather_.rejected)) {
    answer = {.outcome = relay::mail_outcome::permanent, .server_text = "550 no such user"};
    for (observer* o : observers_) o->on_mail_rejected(m.what);
  } else if (random_.chance(weather_.refused)) {
    answer = {.outcome = relay::mail_outcome::temporary, .server_text = "451 later"};
  } else {
    ++statistics_.mails;
    const bool lost = random_.chance(weather_.answer_lost);
    if (lost) answer = {.outcome = relay::mail_outcome::temporary, .server_text = "no answer"};
    for (observer* o : observers_) o->on_mail_accepted(m.what, wall(), lost);
  }
  relay_turn([&](auto& r) { r.on_mail_done(now_, relay_wall(), m.what.key, answer, relay_out_); });
}

}  // namespace tomoshibi::sim
