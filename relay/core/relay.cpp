#include "relay/core/relay.hpp"

#include "relay/core/commit_queue.hpp"
#include "relay/core/directory_index.hpp"
#include "relay/core/ingest.hpp"
#include "relay/core/mail_queue.hpp"
#include "relay/core/notices.hpp"
#include "relay/core/presence.hpp"
#include "relay/core/session_table.hpp"
#include "relay/core/watch_rules.hpp"

#include <algorithm>
#include <map>

namespace tomoshibi::relay {

struct relay_core::parts final : session_listener, line_view {
  explicit parts(setup s)
      : at(std::move(s)), commits(at.limits, count, at.log),
        book(count, at.log, commits, at.store, world, at.compose, at.mail_from),
        mails(at.limits, count, at.log, commits, world.all, at.mail_from, at.seed),
        there(at.limits, count, at.log, commits),
        rules(at.limits, count, at.log, commits, at.store, world, book, *this),
        intake(at.limits, count, at.log, commits, rules), sessions(at.limits, count, at.log, *this) {}

  setup at;
  relay::health count;
  known_world world;
  commit_queue commits;
  notices book;
  mail_queue mails;
  presence there;
  watch_rules rules;
  ingest intake;
  session_table sessions;
  mono_time alive_at = never;     // when to say so again
  bool stopping = false;
  mono_time last_now{};           // of the last turn: what wall times of the future are reckoned from
  wall_at last_wall{};

  // ---- what sessions ask

  void on_heard(turn& t, const gateway_id& gateway) override { there.on_heard(t, gateway); }

  wire::welcome on_hello(turn& t, const gateway_id& gateway, const wire::hello& h) override {
    there.on_hello(t, gateway, h.firmware_version, h.config_version);
    const wire::config* c = config_for(gateway);
    return {.acked_seq = intake.on_hello(gateway, h), .wall = t.wall, .config_version = c ? c->version : 0};
  }

  std::optional<refusal> on_records(turn& t, const gateway_id& gateway, wire::records&& r) override {
    return intake.take(t, gateway, std::move(r), world);
  }

  void on_config_applied(turn& t, const gateway_id& gateway, const wire::config_applied& c) override {
    const logger log{at.log, "config"};
    if (c.accepted) {
      log.info("applied", {{"gw", gateway.text()}, {"version", c.version}});
      there.on_config_version(t, gateway, c.version);
    } else {
      log.warning("refused", {{"gw", gateway.text()}, {"version", c.version}, {"detail", c.reason}});
    }
  }

  const wire::config* config_for(const gateway_id& gateway) const override {
    const auto box = world.all.gateways.find(gateway);
    if (box == world.all.gateways.end()) return nullptr;
    const auto c = world.all.configs.find(box->second.home);
    return c == world.all.configs.end() ? nullptr : &c->second;
  }

  bool line_up(const gateway_id& gateway) const override { return there.up(gateway); }

  // ---- turns

  void end_turn(turn& t) {
    if (!stopping) mails.on_wake(t);
    commits.end_turn(t);
    // A gateway that was told bye cannot be told what was stored, and would send it all again.
    if (stopping && (commits.idle() || count.commit_failing)) sessions.close_all(t);
    last_now = t.now;
    last_wall = t.wall;
  }

  void say_alive(turn& t) {
    commits.add(alive_write{t.wall});
    alive_at = t.now + at.limits.alive_every;
  }

  mono_time mono_of(std::optional<wall_at> due) const {
    if (!due) return never;
    return last_now + std::max(*due - last_wall, millis{0});
  }

  // None goes out any more while it stops: one that is due would be woken for again and again, for nothing.
  mono_time next_mail() const { return stopping ? never : mono_of(mails.next_due()); }

  void take_world(known_world now) {
    world = std::move(now);
    count.watches_without_recipient = static_cast<std::size_t>(std::ranges::count_if(world.all.homes, [this](const auto& h) {
      return h.second.watch_mode && std::ranges::none_of(world.by_home.contacts_of(h.first), [this](contact_id id) {
        return world.all.contacts.at(id).role == contact_role::family;
      });
    }));
    if (count.watches_without_recipient != 0)
      logger{at.log, "notice"}.error("watch_without_recipient", {{"homes", count.watches_without_recipient}});
  }

  status load(turn& t) {
    auto known = at.store.load_directory();
    if (!known) return std::unexpected(known.error());
    const auto boxes = at.store.load_gateways();
    if (!boxes) return std::unexpected(boxes.error());
    const auto alive = at.store.load_alive();
    if (!alive) return std::unexpected(alive.error());
    const auto queued = at.store.load_queued_mails();
    if (!queued) return std::unexpected(queued.error());
    take_world(known_world{std::move(*known)});
    if (auto ok = book.on_start(); !ok) return ok;
    intake.on_start(t, *boxes, *alive);
    there.on_start(t, world.all, *boxes, *alive);
    if (auto ok = rules.on_start(t); !ok) return ok;
    for (const mail& m : *queued) mails.add(m);
    return {};
  }

  void take_committed(turn& t, const write_batch& batch) {
    std::map<gateway_id, record_seq> acks;
    for (const write& w : batch) {
      if (const auto* p = std::get_if<progress_write>(&w)) {
        if (const auto seq = intake.on_committed(*p)) acks[p->gateway] = *seq;
      } else if (const auto* m = std::get_if<mail_queue_write>(&w)) {
        mails.add(m->what);
      } else if (const auto* r = std::get_if<mail_result_write>(&w)) {
        if (r->state != mail_state::queued) mails.on_result_committed(r->key);
      } else if (const auto* f = std::get_if<fault_write>(&w)) {
        rules.on_fault_committed(f->home, f->fault);
      } else {
        book.on_committed(w);
      }
    }
    for (const auto& [gateway, seq] : acks) sessions.send_to(t, gateway, wire::ack{seq});
  }
};

relay_core::relay_core(setup s) : parts_(std::make_unique<parts>(std::move(s))) {}
relay_core::~relay_core() = default;

status relay_core::on_start(mono_time now, wall_at wall, output& out) {
  turn t{now, wall, out};
  parts& p = *parts_;
  if (auto ok = p.load(t); !ok) return ok;
  p.say_alive(t);
  p.end_turn(t);
  return {};
}

status relay_core::on_directory_changed(mono_time now, wall_at wall, output& out) {
  turn t{now, wall, out};
  parts& p = *parts_;
  auto known = p.at.store.load_directory();
  if (!known) return std::unexpected(known.error());
  const auto queued = p.at.store.load_queued_mails();
  if (!queued) return std::unexpected(queued.error());
  const directory before = p.world.all;
  p.take_world(known_world{std::move(*known)});
  p.there.on_directory(t, p.world.all);
  p.intake.forget_unknown(p.world.all);
  p.rules.on_directory(t, before);
  p.sessions.on_directory(t, p.world.all);
  p.sessions.push_configs(t);
  for (const mail& m : *queued) p.mails.add(m);
  p.end_turn(t);
  return {};
}

void relay_core::on_session_open(mono_time now, wall_at wall, session_id id, const peer& who, output& out) {
  turn t{now, wall, out};
  parts_->sessions.on_open(t, id, who, parts_->world.all);
  parts_->end_turn(t);
}

void relay_core::on_session_bytes(mono_time now, wall_at wall, session_id id, byte_view data, output& out) {
  if (parts_->stopping) return;  // not acknowledged: it comes again
  turn t{now, wall, out};
  parts_->sessions.on_bytes(t, id, data);
  parts_->end_turn(t);
}

void relay_core::on_session_closed(mono_time now, wall_at wall, session_id id, output& out) {
  turn t{now, wall, out};
  parts_->sessions.on_closed(t, id);
  parts_->end_turn(t);
}

void relay_core::on_commit_done(mono_time now, wall_at wall, commit_ticket ticket, const status& done, output& out) {
  turn t{now, wall, out};
  if (const auto batch = parts_->commits.on_done(t, ticket, done)) parts_->take_committed(t, *batch);
  parts_->end_turn(t);
}

void relay_core::on_mail_done(mono_time now, wall_at wall, const mail_key& key, const mail_result& done, output& out) {
  turn t{now, wall, out};
  parts_->mails.on_done(t, key, done);
  parts_->end_turn(t);
}

void relay_core::on_wake(mono_time now, wall_at wall, output& out) {
  turn t{now, wall, out};
  parts& p = *parts_;
  p.sessions.on_wake(t);
  while (const auto gateway = p.intake.take_put_off(now))
    p.sessions.end(t, *gateway, {close_reason::overload, "slots of the future are not taken: try again"});
  p.there.on_wake(t);
  p.rules.on_wake(t);
  if (now >= p.alive_at) p.say_alive(t);
  p.end_turn(t);
}

void relay_core::change_mail_from(const std::string& address) {
  parts_->mails.change_from(address);
  parts_->book.change_mail_from(address);
}

void relay_core::on_stop(mono_time now, wall_at wall, output& out) {
  turn t{now, wall, out};
  parts& p = *parts_;
  p.stopping = true;
  p.there.store_all_seen(t);
  p.say_alive(t);
  p.end_turn(t);
}

mono_time relay_core::next_wake() const {
  const parts& p = *parts_;
  return std::min({p.sessions.next_wake(), p.intake.next_wake(), p.there.next_wake(), p.commits.next_wake(), p.alive_at,
                   p.mono_of(p.rules.next_due()), p.rules.next_recount(), p.next_mail()});
}

bool relay_core::idle() const { return parts_->commits.idle() && parts_->mails.in_flight() == 0; }

relay::health relay_core::health() const {
  const parts& p = *parts_;
  relay::health h = p.count;
  h.sessions = p.sessions.size();
  h.gateways_up = p.there.count_up();
  h.gateways_down = p.there.count_down();
  h.gateways = p.there.count_known();
  h.gateways_put_off = p.intake.count_put_off();
  h.homes_watched = p.rules.homes_watched();
  for (std::size_t kind = 1; kind < h.episodes_open.size(); ++kind)
    h.episodes_open[kind] = p.book.count_open(static_cast<episode_kind>(kind));
  h.mails_queued = p.mails.waiting();
  h.mails_in_flight = p.mails.in_flight();
  h.oldest_mail = p.mails.late_since(p.last_wall);
  return h;
}

bool relay_core::line_up(const gateway_id& gateway) const { return parts_->there.up(gateway); }

}  // namespace tomoshibi::relay
