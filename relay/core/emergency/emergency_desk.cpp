#include "relay/core/emergency/emergency_desk.hpp"

#include "relay/core/emergency/line_watch.hpp"
#include "relay/core/emergency/press_desk.hpp"
#include "relay/core/emergency/trouble_desk.hpp"

#include <algorithm>

namespace tomoshibi::relay {

struct emergency_desk::parts final : lane_listener {
  explicit parts(emergency_setup s)
      : f{.limits = s.limits, .book = s.book, .log = s.log, .random = prng{s.seed}, .centre_set = s.centre_set,
          .mail_from = std::move(s.mail_from), .compose = s.compose},
        log(s.log, "emergency"), lanes(f.limits, s.log, *this), guard(f), mails(f), drills(f, mails),
        presses(f, guard, mails, drills, lanes), line(f, guard), troubles(f, guard, mails), dispatches(f, guard, mails) {}

  desk_frame f;
  logger log;
  lane_table lanes;
  guard_desk guard;
  mail_desk mails;
  drill_desk drills;
  press_desk presses;
  line_watch line;
  trouble_desk troubles;
  dispatch_desk dispatches;
  mono_time retry_at = mono_time::min();     // a commit that failed is not tried again before
  millis retry_pause{};
  mono_time upkeep_at = never;
  bool stopping = false;
  std::map<gateway_id, home_id> home_of;     // of the lanes that stand
  std::set<guard_event_id> told_refused;     // presses that come again are told once

  // ---- lane_listener
  void on_lane_up(desk_turn& t, const gateway_id& gateway) override {
    const home_id home = f.gateway(gateway)->home;
    home_of[gateway] = home;
    line.on_up(t, home);
    drills.on_lane_up(t, gateway, lanes);
  }
  void on_lane_down(desk_turn&, const gateway_id& gateway) override {
    line.on_down(home_of.at(gateway));
    home_of.erase(gateway);
  }
  void on_lane_heard(desk_turn& t, const gateway_id& gateway) override { line.on_heard(t, home_of.at(gateway)); }
  std::optional<refusal> on_press(desk_turn& t, const gateway_id& gateway, const wire::press& p) override {
    return presses.on_press(t, gateway, p);
  }
  std::optional<refusal> on_report(desk_turn& t, const gateway_id& gateway, const wire::press_report& r) override {
    return presses.on_report(t, gateway, r);
  }
  void on_box_state(desk_turn& t, const gateway_id& gateway, const wire::box_state& s) override {
    troubles.on_box_state(t, gateway, s);
  }

  void settle(desk_turn& t, const guard_event_row& delivered);
  void follow_homes(desk_turn& t);
  void commit(desk_turn& t);
  void hand_over(desk_turn& t) {
    if (stopping) return;
    guard.hand_over(t);
    mails.hand_over(t);
  }
};

emergency_desk::emergency_desk(emergency_setup s) : parts_(std::make_unique<parts>(std::move(s))) {}
emergency_desk::~emergency_desk() = default;

// ---- start, directory, settings

status emergency_desk::on_start(mono_time now, wall_at wall, std::shared_ptr<const known_world> world, desk_output& out) {
  auto& p = *parts_;
  auto state = p.f.book.load();
  if (!state) return std::unexpected(state.error());
  desk_turn t{now, wall, out};
  p.f.world = std::move(world);
  p.f.rows.load(*state);
  p.f.count.book_lost = state->lost;
  p.guard.on_start(state->last_event, state->sequences);
  p.mails.on_start();
  p.drills.on_start(t);
  p.presses.on_start(t);
  p.line.on_start(t);
  p.line.on_directory(t);
  p.dispatches.on_start(t);
  p.upkeep_at = now;
  p.commit(t);
  p.hand_over(t);
  return {};
}

void emergency_desk::on_directory(mono_time now, wall_at wall, std::shared_ptr<const known_world> world, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  const auto before = std::exchange(p.f.world, std::move(world));
  p.lanes.on_directory(t, p.f.world->all);
  p.follow_homes(t);
  p.guard.on_directory(t, before->all);
  p.presses.on_directory(t);
  p.line.on_directory(t);
  p.troubles.on_directory(t);
}

// A gateway that now stands in another home.
void emergency_desk::parts::follow_homes(desk_turn& t) {
  for (auto& [gateway, home] : home_of) {
    const home_id now = f.gateway(gateway)->home;
    if (now == home) continue;
    line.on_down(home);
    home = now;
    line.on_up(t, now);
  }
}

void emergency_desk::on_new_link(mono_time now, wall_at wall, bool centre_set, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.f.centre_set = centre_set;
  p.f.count.link = dc09::link_state::unknown;
  p.guard.on_centre_changed();
  p.presses.on_directory(t);
}

void emergency_desk::change_mail_from(const std::string& address) { parts_->f.mail_from = address; }

// ---- lanes

void emergency_desk::on_lane_open(mono_time now, wall_at wall, session_id id, const peer& who, desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->lanes.on_open(t, id, who, parts_->f.world->all);
}

void emergency_desk::on_lane_bytes(mono_time now, wall_at wall, session_id id, byte_view data, desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->lanes.on_bytes(t, id, data);
}

void emergency_desk::on_lane_closed(mono_time now, wall_at wall, session_id id, desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->lanes.on_closed(t, id);
}

// ---- the guard centre and the mail server

// What an event was about, now that the centre has it: in the same commit.
void emergency_desk::parts::settle(desk_turn& t, const guard_event_row& delivered) {
  const std::uint64_t about = number_of_reference(delivered.reference);
  presses.on_accepted(t, press_id{about}, delivered.receiver);
  dispatches.on_accepted(t, dispatch_id{about});
}

void emergency_desk::on_guard_delivered(mono_time now, wall_at wall, guard_event_id id, std::size_t receiver, desk_output& out) {
  desk_turn t{now, wall, out};
  const auto delivered = parts_->guard.on_delivered(t, id, static_cast<std::uint8_t>(receiver + 1));
  if (!delivered) return;
  parts_->told_refused.erase(id);
  parts_->settle(t, *delivered);
}

void emergency_desk::on_guard_failed(mono_time now, wall_at wall, guard_event_id id, dc09::not_delivered why, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  // Nobody sets a time after which the link may give up: whatever it says, a press comes again.
  const auto row = p.guard.on_refused(t, id);
  if (!row) return;
  p.log.error("event_failed", {{"why", dc09::name_of(why)}, {"reference", row->reference}});
  p.presses.on_refused(t, press_id{number_of_reference(row->reference)}, *row);
  emergency_facts facts{.kind = emergency_notice::event_refused};
  facts.where.id = row->home;
  facts.event = *row;
  if (p.told_refused.insert(row->id).second)
    p.mails.write(t, mail_readers::provider, number_of_reference(row->reference), std::move(facts));
}

void emergency_desk::on_guard_not_taken(mono_time now, wall_at wall, guard_event_id id, desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->guard.on_not_taken(t, id);
}

void emergency_desk::on_guard_link(dc09::link_state state, std::size_t receiver) {
  auto& count = parts_->f.count;
  if (state != count.link || receiver != count.receiver) {
    if (state == dc09::link_state::down) parts_->log.error("centre_unreachable");
    else parts_->log.info("centre_reached", {{"receiver", receiver + 1}});
  }
  count.link = state;
  count.receiver = receiver;
}

void emergency_desk::on_guard_doubted() { ++parts_->f.count.answers_doubted; }

void emergency_desk::on_mail_done(mono_time now, wall_at wall, const emergency_mail_key& key, const mail_result& done,
                                  desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->mails.on_done(t, key, done);
  parts_->hand_over(t);
}

// ---- from the main side and from operators

void emergency_desk::on_alert(mono_time now, wall_at wall, const alert_key& key, bool open, desk_output& out) {
  desk_turn t{now, wall, out};
  const auto& [home, appliance, since] = key;
  parts_->troubles.on_alert(t, home, appliance, since, open);
}

void emergency_desk::on_alerts(mono_time now, wall_at wall, const std::set<alert_key>& open, desk_output& out) {
  desk_turn t{now, wall, out};
  parts_->troubles.on_alerts(t, open);
}

result<drill_row> emergency_desk::begin_drill(mono_time now, wall_at wall, home_id home, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.commit(t);
  if (p.f.count.commit_failing) return fail(errc::storage_io, "emergency.db cannot be written; see the log");
  auto begun = p.drills.begin(t, home, p.lanes);
  p.commit(t);
  if (begun && p.f.count.commit_failing) return fail(errc::storage_io, "the drill goes on, but could not be stored; see the log");
  return begun;
}

result<guard_event_row> emergency_desk::begin_test(mono_time now, wall_at wall, home_id home, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  if (p.f.home(home) == nullptr) return fail(errc::not_found, "no such home");
  if (p.f.account(home) == nullptr) return fail(errc::refused, p.f.no_account(home));
  const auto id = p.guard.make(t, {.home = home, .what = {dc09::event::manual_test, dc09::edge::begun, 0, 0}, .test = true,
                                   .reference = p.f.name(), .occurred = wall});
  if (!id) return fail(errc::refused, "too much waits for the guard centre already; does it answer? See: tomoshibi-ctl status");
  const guard_event_row made = *p.f.rows.events.find(*id);
  p.commit(t);
  if (p.f.count.commit_failing) return fail(errc::storage_io, "emergency.db cannot be written; see the log");
  p.hand_over(t);
  return made;
}

result<dispatch_row> emergency_desk::begin_dispatch(mono_time now, wall_at wall, const wanted_dispatch& w, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.commit(t);
  if (p.f.count.commit_failing) return fail(errc::storage_io, "emergency.db cannot be written: call the guard centre by telephone");
  auto begun = p.dispatches.begin(t, w);
  p.commit(t);
  if (begun && p.f.count.commit_failing)
    return fail(errc::storage_io, "it goes to the guard centre, but could not be stored: ask the centre by telephone");
  p.hand_over(t);
  return begun;
}

// ---- time

void emergency_desk::on_wake(mono_time now, wall_at wall, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.lanes.on_wake(t);
  p.presses.on_wake(t);
  p.drills.on_wake(t);
  p.dispatches.on_wake(t);
  p.line.on_wake(t);
  p.guard.on_wake(t);
  p.troubles.on_wake(t);
  if (now >= p.upkeep_at) {
    p.upkeep_at = now + p.f.limits.upkeep_every;
    if (auto ok = p.f.book.drop_old(wall, emergency_rows_max); !ok)
      p.log.error("upkeep_failed", {{"err", name_of(ok.error().code)}, {"detail", ok.error().detail}});
  }
  p.hand_over(t);
}

// One transaction for all that came in this turn.
void emergency_desk::parts::commit(desk_turn& t) {
  if (!f.rows.dirty() || t.now < retry_at) return;
  auto durable = f.rows.commit(f.book);
  if (!durable) {
    ++f.count.commits_failed;
    if (!f.count.commit_failing)
      log.error("commit_failed", {{"err", name_of(durable.error().code)}, {"detail", durable.error().detail}});
    f.count.commit_failing = true;
    retry_pause = std::clamp(retry_pause * 2, f.limits.commit_retry_first, f.limits.commit_retry_max);
    retry_at = t.now + retry_pause;
    return;
  }
  ++f.count.commits;
  if (f.count.commit_failing) log.info("commits_again");
  f.count.commit_failing = false;
  retry_pause = {};
  retry_at = mono_time::min();
  for (const auto& row : durable->events) guard.on_durable(row);
  for (const auto& row : durable->presses) {
    presses.on_durable(t, row);
    if (row.closed && row.reported_path != press_path::none) f.count.delays.add(row);
  }
  for (const auto& row : durable->mails) mails.on_durable(row);
}

void emergency_desk::on_turn_end(mono_time now, wall_at wall, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.commit(t);
  if (p.f.count.commit_failing) {
    p.guard.on_not_durable();
    p.mails.on_not_durable();
  }
  p.hand_over(t);
}

mono_time emergency_desk::next_wake(mono_time now, wall_at wall) const {
  const auto& p = *parts_;
  const mono_time retry = p.f.count.commit_failing ? p.retry_at : never;
  if (p.stopping) return std::min(p.lanes.next_wake(), retry);
  return std::min({p.lanes.next_wake(), p.presses.next_wake(), p.drills.next_wake(), p.dispatches.next_wake(), p.line.next_wake(),
                   p.guard.next_wake(), p.troubles.next_wake(), p.mails.next_wake(now, wall), p.upkeep_at, retry});
}

void emergency_desk::on_stop(mono_time now, wall_at wall, desk_output& out) {
  auto& p = *parts_;
  desk_turn t{now, wall, out};
  p.commit(t);
  p.stopping = true;
  p.lanes.close_all(t);
}

std::uint64_t emergency_desk::commits() const { return parts_->f.count.commits; }
std::uint64_t emergency_desk::presses_begun() const { return parts_->f.count.presses + parts_->f.count.drills; }

emergency_health emergency_desk::health() const {
  auto& p = *parts_;
  p.presses.count();
  emergency_health out = p.f.count;
  out.lanes = p.lanes.size();
  out.lanes_up = p.lanes.live();
  out.lanes_opened = p.lanes.counts().sessions_opened;
  out.lanes_closed = p.lanes.counts().sessions_closed;
  out.homes_watched = p.f.rows.watches.size();
  out.lines_lost = p.line.lost();
  out.troubles_open = p.f.rows.troubles.size();
  out.presses_open = p.f.rows.presses.size();
  out.presses_unaccepted = p.presses.unaccepted();
  out.presses_late = p.presses.late();
  for (const auto& [id, row] : p.f.rows.dispatches) {
    out.dispatches_open += row.accepted ? 0U : 1U;
    out.dispatches_late += !row.accepted && row.alarmed ? 1U : 0U;
  }
  out.drills_open = p.f.rows.drills.size();
  out.events_waiting = p.f.rows.events.size();
  for (const auto& [home, row] : p.f.rows.watches) out.homes_without_centre += p.f.account(home) == nullptr ? 1U : 0U;
  out.centre_set = p.f.centre_set;
  out.mails_queued = p.f.rows.mails.size();
  out.oldest_mail = p.mails.oldest();
  return out;
}

}  // namespace tomoshibi::relay
