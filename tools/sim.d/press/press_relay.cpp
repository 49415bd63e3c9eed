#include "tools/sim.d/press/press_relay.hpp"

#include "tools/sim.d/press/press_box.hpp"

namespace tomoshibi::sim {
namespace {

constexpr millis mail_takes = 500ms;

relay::known_world world_of(std::uint32_t homes) {
  relay::directory d;
  d.contacts[contact_id{1}] = {.id = contact_id{1}, .home = {}, .role = relay::contact_role::provider, .name = "desk",
                               .address = "desk@example.org", .lang = relay::language::en, .quiet = {}};
  for (std::uint32_t h = 0; h < homes; ++h) {
    const home_id id{h + 1};
    d.homes[id].id = id;
    const gateway_id box = press_gateway(h);
    d.gateways[box] = {.id = box, .home = id, .revoked = false, .certificate_sha256 = "00"};
    const contact_id reader{10 * (h + 1)};
    d.contacts[reader] = {.id = reader, .home = id, .role = relay::contact_role::family, .name = "daughter",
                          .address = "d@example.org", .lang = relay::language::ja, .quiet = {}};
    d.guards[id] = {.account = press_account(h), .key_hex = {}};
  }
  return relay::known_world{std::move(d)};
}

}  // namespace

press_relay::press_relay(const press_options& opt, press_clock& clock, press_checker& checker, std::uint64_t seed)
    : opt_(opt), clock_(clock), checker_(checker), random_(seed),
      world_(std::make_shared<const relay::known_world>(world_of(opt.homes))), book_(std::make_unique<relay::memory_emergency_book>()) {}

wall_at press_relay::wall() const { return press_wall(clock_.now()) + wrong_by_; }

// ---- power

void press_relay::power_on() {
  if (on() || clock_.now() < back_at_) return;
  ++life_;
  if (opt_.lie == press_lie::relay_forgets && cuts_ > 0) *book_ = at_start_;
  at_start_ = *book_;
  book_->before_commit = [this] { return disk_fails_; };
  desk_ = std::make_unique<relay::emergency_desk>(relay::emergency_setup{
      .book = *book_, .log = null_log(), .seed = random_.next(), .centre_set = true, .mail_from = "watch@relay.example"});
  dc09::sender_settings line;
  line.receivers.emplace_back();
  sender_ = std::make_unique<dc09::sender>(std::move(line));
  relay::desk_output out;
  (void)desk_->on_start(clock_.now(), wall(), world_, out);
  act(out);
  turn([](relay::desk_output&) {});
}

void press_relay::power_off(millis length) {
  back_at_ = std::max(back_at_, clock_.now() + length);
  clock_.at(back_at_, [this] { power_on(); });
  if (!on()) return;
  ++cuts_;
  ++life_;
  desk_.reset();
  sender_.reset();
  wake_ = never;
  cut_after_ = 0;
  for (press_line* l : lanes_) l->lose(random_.chance(500), false);
  link_->lose(false, random_.chance(500));
}

bool press_relay::does() {
  if (cut_after_ == 0 || --cut_after_ > 0) return true;
  power_off(20s);
  return false;
}

// ---- turns

template <class F>
void press_relay::turn(F f) {
  if (!on()) return;
  relay::desk_output out;
  f(out);
  if (!does()) return;                                  // before the commit ...
  desk_->on_turn_end(clock_.now(), wall(), out);
  if (!does()) return;                                  // ... and behind it
  act(out);
  if (on()) arm();
}

void press_relay::act(relay::desk_output& first) {
  relay::desk_output out = std::move(first);
  dc09::sender_output said;
  for (auto& action : out) {
    if (!does()) return;
    if (const auto* s = std::get_if<relay::send>(&action)) {
      for (press_line* l : lanes_)
        if (l->open() && l->session() == static_cast<std::uint64_t>(s->session)) l->to_client(s->data);
    } else if (const auto* c = std::get_if<relay::close>(&action)) {
      for (press_line* l : lanes_)
        if (l->open() && l->session() == static_cast<std::uint64_t>(c->session)) l->close_by_server();
    } else if (const auto* g = std::get_if<relay::guard_submit>(&action)) {
      if (!sender_->submit(clock_.now(), wall(), relay::outgoing_of(g->what, nullptr), said))
        clock_.at(clock_.now(), [this, id = g->what.id, life = life_] {
          if (life == life_) turn([&](relay::desk_output& more) { desk_->on_guard_not_taken(clock_.now(), wall(), id, more); });
        });
    } else if (const auto* x = std::get_if<relay::guard_cancel>(&action)) {
      (void)sender_->cancel(static_cast<std::uint64_t>(x->id));
    } else if (const auto* m = std::get_if<relay::submit_emergency_mail>(&action)) {
      ++mails_;
      if (m->what.key.kind == relay::emergency_notice::press_accepted) checker_.on_told_accepted(clock_.now(), press_id{m->what.key.about});
      clock_.at(clock_.now() + mail_takes, [this, key = m->what.key, life = life_] {
        if (life != life_) return;
        turn([&](relay::desk_output& more) {
          desk_->on_mail_done(clock_.now(), wall(), key, {.outcome = relay::mail_outcome::ok, .server_text = {}}, more);
        });
      });
    }
  }
  act(said);
}

void press_relay::act(dc09::sender_output& first) {
  dc09::sender_output said = std::move(first);
  for (const auto& action : said.actions) {
    if (!on() || !does()) return;
    if (link_->carry_out(action, connection_)) continue;
    if (const auto* d = std::get_if<dc09::sender_output::delivered>(&action)) {
      turn([this, d](relay::desk_output& out) {
        desk_->on_guard_delivered(clock_.now(), wall(), relay::guard_event_id{d->id}, d->receiver, out);
      });
    } else if (const auto* f = std::get_if<dc09::sender_output::failed>(&action)) {
      turn([this, f](relay::desk_output& out) { desk_->on_guard_failed(clock_.now(), wall(), relay::guard_event_id{f->id}, f->why, out); });
    } else if (const auto* l = std::get_if<dc09::sender_output::link>(&action)) {
      desk_->on_guard_link(l->now, l->receiver);
    } else {
      desk_->on_guard_doubted();
    }
  }
  if (on()) arm();
}

void press_relay::arm() {
  const mono_time next = std::max(clock_.now(), std::min(desk_->next_wake(clock_.now(), wall()), sender_->next_wake()));
  if (next == never || next >= wake_) return;
  wake_ = next;
  clock_.at(next, [this, life = life_, next] {
    if (life != life_ || wake_ != next) return;
    wake_ = never;
    dc09::sender_output said;
    if (sender_->next_wake() <= clock_.now()) sender_->on_wake(clock_.now(), wall(), said);
    act(said);
    turn([this](relay::desk_output& out) { desk_->on_wake(clock_.now(), wall(), out); });
  });
}

// ---- what happens

void press_relay::lane_opened(std::uint32_t home, std::uint64_t session) {
  turn([&](relay::desk_output& out) {
    desk_->on_lane_open(clock_.now(), wall(), relay::session_id{session},
                        {.subject_cn = press_gateway(home).text(), .certificate_sha256 = "00", .remote = {}}, out);
  });
}
void press_relay::lane_bytes(std::uint64_t session, byte_view data) {
  turn([&](relay::desk_output& out) { desk_->on_lane_bytes(clock_.now(), wall(), relay::session_id{session}, data, out); });
}
void press_relay::lane_closed(std::uint64_t session) {
  turn([&](relay::desk_output& out) { desk_->on_lane_closed(clock_.now(), wall(), relay::session_id{session}, out); });
}
void press_relay::drill(std::uint32_t home) {
  turn([&](relay::desk_output& out) { (void)desk_->begin_drill(clock_.now(), wall(), home_id{home + 1}, out); });
}

void press_relay::link_opened() {
  if (!on()) return;
  dc09::sender_output said;
  sender_->on_connected(clock_.now(), wall(), connection_, said);
  act(said);
}
void press_relay::link_bytes(byte_view data) {
  if (!on()) return;
  dc09::sender_output said;
  if (opt_.lie == press_lie::ack_believed) {
    for (const auto& [id, e] : book_->all_events())
      if (e.state == relay::guard_event_state::waiting && sender_->cancel(static_cast<std::uint64_t>(id)))
        said.actions.emplace_back(dc09::sender_output::delivered{static_cast<std::uint64_t>(id), 0, clock_.now()});
  } else {
    sender_->on_bytes(clock_.now(), wall(), connection_, data, said);
  }
  act(said);
}
void press_relay::link_closed() {
  if (!on()) return;
  dc09::sender_output said;
  sender_->on_closed(clock_.now(), wall(), connection_, said);
  act(said);
}

// ---- the end

void press_relay::judge_end(violations& found) const {
  if (!on()) found.emplace_back("presses: the relay is not on at the end");
  for (const auto& [id, p] : book_->all_presses()) {
    if (!p.test && p.stage == press_stage::accepted && !checker_.in_list(id))
      found.emplace_back("presses: the relay's book calls accepted what is not in the list");
    // Lost by its box, it is reported by nobody.
    const bool forgotten = checker_.lost_unsaved(id) && p.stage == press_stage::accepted;
    if (!p.closed && !forgotten)
      found.push_back("presses: open in the relay's book at the end, home " + std::to_string(static_cast<std::uint32_t>(p.home)));
  }
  for (const auto& [id, e] : book_->all_events())
    if (e.state == relay::guard_event_state::waiting)
      found.push_back("presses: an event waits at the end: " + e.account + " " + e.reference);
}

}  // namespace tomoshibi::sim
