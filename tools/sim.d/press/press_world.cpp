#include "tools/sim.d/press/press_world.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr std::uint32_t loss_per_mille = 300;
constexpr millis wrong_clock = 1h;
constexpr std::size_t old_acks_max = 64;

}  // namespace

press_world::press_world(const press_options& opt)
    : opt_(opt), random_(opt.seed), plan_(draw_press_plan(opt, random_.fork())),
      checker_([this](press_id id) { return relay_.has(id); },
               plan_.has(press_fault::guard_misbehaves)), relay_(opt, clock_, checker_, random_.next()) {
  calm_ = mono_time{} + millis{opt.hours * 3'600'000};
  end_ = calm_ + press_quiet;
  std::vector<press_line*> lanes;
  for (std::uint32_t h = 0; h < opt.homes; ++h) {
    boxes_.push_back(std::make_unique<press_box>(
        h, press_box::surroundings{.clock = clock_, .checker = checker_, .seed = random_.next(), .direct = plan_.direct,
                                   .believes_all = opt.lie == press_lie::ack_believed}));
    lanes_.push_back(std::make_unique<press_line>(clock_, random_.fork(), ends_of_lane(h)));
    directs_.push_back(std::make_unique<press_line>(clock_, random_.fork(), ends_of_direct(h)));
    boxes_[h]->connect(*lanes_[h], *directs_[h]);
    lanes.push_back(lanes_[h].get());
  }
  link_ = std::make_unique<press_line>(clock_, random_.fork(), ends_of_link());
  relay_.connect(std::move(lanes), *link_);
  for_all_lines([this](press_line& l) { l.weather.delay_max = plan_.delay_max; });
}

// ---- the lines

press_line::ends press_world::ends_of_lane(std::uint32_t h) {
  return {.server_on = [this] { return relay_.on(); },
          .server_opened = [this, h](std::uint64_t s) { relay_.lane_opened(h, s); },
          .server_bytes = [this](std::uint64_t s, byte_view data) { relay_.lane_bytes(s, data); },
          .server_closed = [this](std::uint64_t s) { relay_.lane_closed(s); },
          .client_opened = [this, h] { boxes_[h]->lane_opened(); },
          .client_bytes = [this, h](byte_view data) { boxes_[h]->lane_bytes(data); },
          .client_closed = [this, h] { boxes_[h]->lane_closed(); }};
}

press_line::ends press_world::ends_of_direct(std::uint32_t h) {
  return {.server_on = [this] { return centre_ != nullptr; },
          .server_opened = [this, h](std::uint64_t s) { guard_opened(*directs_[h], s); },
          .server_bytes = [this](std::uint64_t s, byte_view data) { guard_bytes(s, data); },
          .server_closed = [this](std::uint64_t s) { guard_closed(s); },
          .client_opened = [this, h] { boxes_[h]->direct_opened(); },
          .client_bytes = [this, h](byte_view data) { boxes_[h]->direct_bytes(data); },
          .client_closed = [this, h] { boxes_[h]->direct_closed(); }};
}

press_line::ends press_world::ends_of_link() {
  return {.server_on = [this] { return centre_ != nullptr; },
          .server_opened = [this](std::uint64_t s) { guard_opened(*link_, s); },
          .server_bytes = [this](std::uint64_t s, byte_view data) { guard_bytes(s, data); },
          .server_closed = [this](std::uint64_t s) { guard_closed(s); },
          .client_opened = [this] { relay_.link_opened(); },
          .client_bytes = [this](byte_view data) { relay_.link_bytes(data); },
          .client_closed = [this] { relay_.link_closed(); }};
}

void press_world::for_all_lines(const std::function<void(press_line&)>& f) {
  for (auto& l : lanes_) f(*l);
  for (auto& l : directs_) f(*l);
  f(*link_);
}

// ---- the guard centre

void press_world::guard_on() {
  if (centre_ || clock_.now() < guard_back_) return;
  ++guard_life_;
  guard::centre_settings s;
  for (std::uint32_t h = 0; h < opt_.homes; ++h) s.accounts.push_back({.number = press_account(h), .name = {}, .key = {}});
  centre_ = std::make_unique<guard::centre>(std::move(s));
  if (opt_.lie == press_lie::guard_forgets) return;
  for (const guard::entry& e : journal_) centre_->restore(e, clock_.now());
}

void press_world::guard_off(millis length) {
  guard_back_ = std::max(guard_back_, clock_.now() + length);
  clock_.at(guard_back_, [this] { guard_on(); });
  if (!centre_) return;
  ++guard_cuts_;
  ++guard_life_;
  centre_.reset();
  guard_wake_ = never;
  guard_cut_after_ = 0;
  for (const auto& [session, line] : std::exchange(calls_, {}))
    if (line->open() && line->session() == session) line->lose(random_.chance(500), false);
}

bool press_world::guard_does() {
  if (guard_cut_after_ == 0 || --guard_cut_after_ > 0) return true;
  guard_off(20s);
  return false;
}

void press_world::guard_said(guard::centre_output& out) {
  for (const auto& action : out.actions) {
    if (!centre_ || !guard_does()) return;
    if (const auto* b = std::get_if<guard::centre_output::booked>(&action)) {
      const guard::entry* e = centre_->find(b->entry);   // written and synced before it is acknowledged
      journal_.push_back(*e);
      checker_.on_entry(clock_.now(), *e);
    } else if (const auto* s = std::get_if<guard::centre_output::send>(&action)) {
      if (old_acks_.size() == old_acks_max) old_acks_.pop_front();
      old_acks_.push_back(s->data);
      if (const auto c = calls_.find(s->connection); c != calls_.end() && c->second->session() == s->connection)
        c->second->to_client(as_bytes(s->data));
    } else if (const auto* r = std::get_if<guard::centre_output::reset>(&action)) {
      if (const auto c = calls_.find(r->connection); c != calls_.end() && c->second->session() == r->connection)
        c->second->lose(true, true);
    } else if (std::holds_alternative<guard::centre_output::repeated>(action)) {
      ++repeats_;
    }
  }
  arm_guard();
}

void press_world::arm_guard() {
  const mono_time next = std::max(clock_.now(), centre_->next_wake());
  if (next == never || next >= guard_wake_) return;
  guard_wake_ = next;
  clock_.at(next, [this, life = guard_life_, next] {
    if (life != guard_life_ || guard_wake_ != next) return;
    guard_wake_ = never;
    guard::centre_output out;
    centre_->on_wake(clock_.now(), out);
    guard_said(out);
  });
}

void press_world::guard_opened(press_line& line, std::uint64_t session) {
  if (!centre_) return;
  calls_[session] = &line;
  centre_->on_open(session);
}

void press_world::guard_bytes(std::uint64_t session, byte_view data) {
  if (!centre_ || forged(session)) return;
  guard::centre_output out;
  centre_->on_bytes(clock_.now(), press_wall(clock_.now()), session, data, out);
  guard_said(out);
}

void press_world::guard_closed(std::uint64_t session) {
  calls_.erase(session);
  if (centre_) centre_->on_closed(session);
}

// Somebody on the line keeps the frame and answers with what the centre once said to somebody.
bool press_world::forged(std::uint64_t session) {
  if (!forging_ || old_acks_.empty() || random_.chance(300)) return false;
  ++swallowed_;
  const std::string& old = old_acks_[random_.below(old_acks_.size())];
  if (const auto c = calls_.find(session); c != calls_.end()) c->second->to_client(as_bytes(old));
  return true;
}

// ---- the person

void press_world::live(std::uint32_t home) {
  constexpr millis apart_min = 90s, apart_max = 40min;
  const mono_time next = clock_.now() + millis{random_.between(apart_min.count(), apart_max.count())};
  if (next >= calm_) return;
  clock_.at(next, [this, home] {
    if (random_.chance(100)) relay_.drill(home);
    else boxes_[home]->push_button();
    live(home);
  });
}

// ---- faults

press_line& press_world::line_of(const drawn_press_fault& f) {
  if (f.kind <= press_fault::lane_slow) return *lanes_[f.home];
  return f.kind <= press_fault::direct_slow ? *directs_[f.home] : *link_;
}
line_weather& press_world::weather_of(const drawn_press_fault& f) { return line_of(f).weather; }

void press_world::begin(const drawn_press_fault& f) {
  const auto actions = static_cast<std::uint32_t>(f.amount);
  switch (f.kind) {
    case press_fault::box_off: return boxes_[f.home]->power_off(f.until - f.from);
    case press_fault::box_cut: return boxes_[f.home]->cut_after(actions);
    case press_fault::relay_off: return relay_.power_off(f.until - f.from);
    case press_fault::relay_cut: return relay_.cut_after(actions);
    case press_fault::guard_off: return guard_off(f.until - f.from);
    case press_fault::guard_cut: guard_cut_after_ = actions; return;
    case press_fault::lane_cut:
    case press_fault::direct_cut:
    case press_fault::link_cut: return line_of(f).begin_cut();
    case press_fault::lane_half_open:
    case press_fault::direct_half_open:
    case press_fault::link_half_open: ++weather_of(f).dead; return;
    case press_fault::lane_slow:
    case press_fault::direct_slow:
    case press_fault::link_slow: weather_of(f).slow = millis{f.amount}; return;
    case press_fault::loss: return for_all_lines([](press_line& l) { l.weather.loss = loss_per_mille; });
    case press_fault::box_disk_full: return boxes_[f.home]->fill_disk(true);
    case press_fault::relay_disk_fails: return relay_.fail_disk(true);
    case press_fault::box_clock: return boxes_[f.home]->set_clock(to_ms(f.from) % 2 == 0 ? wrong_clock : -wrong_clock);
    case press_fault::relay_clock: return relay_.set_clock(to_ms(f.from) % 2 == 0 ? wrong_clock : -wrong_clock);
    case press_fault::guard_misbehaves: {
      constexpr std::uint64_t kinds = static_cast<std::uint64_t>(guard::answer::deaf);
      if (centre_)
        (void)centre_->misbehaviour().add({.with = static_cast<guard::answer>(1 + random_.below(kinds)),
                                           .count = static_cast<std::uint32_t>(random_.between(1, 20))});
      return;
    }
    case press_fault::forger: forging_ = true; return;
  }
}

void press_world::end(const drawn_press_fault& f) {
  switch (f.kind) {
    case press_fault::lane_cut:
    case press_fault::direct_cut:
    case press_fault::link_cut: --weather_of(f).cut; return;
    case press_fault::lane_half_open:
    case press_fault::direct_half_open:
    case press_fault::link_half_open:
      --weather_of(f).dead;
      line_of(f).lose(true, true);   // what was sent meanwhile is gone: at the latest now the ends are told
      return;
    case press_fault::lane_slow:
    case press_fault::direct_slow:
    case press_fault::link_slow: weather_of(f).slow = {}; return;
    case press_fault::loss: return for_all_lines([](press_line& l) { l.weather.loss = 0; });
    case press_fault::box_disk_full: return boxes_[f.home]->fill_disk(false);
    case press_fault::relay_disk_fails: return relay_.fail_disk(false);
    case press_fault::box_clock: return boxes_[f.home]->set_clock({});
    case press_fault::relay_clock: return relay_.set_clock({});
    case press_fault::guard_misbehaves:
      if (centre_) centre_->misbehaviour().clear();
      return;
    case press_fault::forger: forging_ = false; return;
    default: return;
  }
}

void press_world::calm() {
  guard_cut_after_ = 0;
  relay_.cut_after(0);
  for (auto& b : boxes_) b->cut_after(0);
}

press_report press_world::run() {
  for (const drawn_press_fault& f : plan_.faults) {
    clock_.at(f.from, [this, &f] { begin(f); });
    clock_.at(f.until, [this, &f] { end(f); });
  }
  clock_.at(calm_, [this] { calm(); });
  guard_on();
  relay_.power_on();
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    boxes_[h]->power_on();
    live(h);
  }
  clock_.run_until(end_);

  press_report r;
  r.found = checker_.finish(end_);
  relay_.judge_end(r.found);
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    const firmware::alarm* a = boxes_[h]->alarm();
    const std::string where = ", home " + std::to_string(h);
    if (a == nullptr) r.found.push_back("presses: the box is not on at the end" + where);
    else if (a->lane() != firmware::lane_state::up) r.found.push_back("presses: the lane is not up at the end" + where);
    else if (a->presses().urgent()) r.found.push_back("presses: still calling at the end" + where);
    r.box_cuts += boxes_[h]->cuts();
    r.direct += boxes_[h]->direct_first();
  }
  r.events = clock_.events();
  r.trace_hash = clock_.hash();
  r.presses = checker_.presses();
  r.drills = checker_.drills();
  r.entries = journal_.size();
  r.repeats = repeats_;
  r.undelivered = checker_.undelivered();
  r.swallowed = swallowed_;
  r.mails = relay_.mails();
  r.lines_lost = checker_.lines_lost();
  r.unsaved = checker_.unsaved();
  r.relay_cuts = relay_.cuts();
  r.guard_cuts = guard_cuts_;
  for (std::size_t k = 0; k < press_faults; ++k)
    if (plan_.in_play[k]) r.faults += std::string{name_of(static_cast<press_fault>(k))} + " ";
  return r;
}

press_report run_presses(const press_options& opt) { return press_world{opt}.run(); }

}  // namespace tomoshibi::sim
