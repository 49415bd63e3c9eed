#include "firmware/core/emergency.hpp"

#include "protocol/base/bytes.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tomoshibi::firmware {
namespace {

std::string id_text(press_id id) {
  bytes out;
  for (int shift = 56; shift >= 0; shift -= 8) put_u8(out, static_cast<std::uint8_t>(std::to_underlying(id) >> shift));
  return to_hex(out);
}

template <class Duration>
std::optional<std::uint32_t> told(Duration time) {
  if (time.count() > std::int64_t{std::numeric_limits<std::uint32_t>::max()}) return std::nullopt;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, time.count()));
}

// The first instant of the coarser clock at which `after` has passed.
mono_time at_least(mono_exact since, millis after) { return std::chrono::ceil<millis>(since + after); }

std::optional<wall_at> known(wall_at occurred) {
  if (occurred == wall_at{}) return std::nullopt;
  return occurred;
}

wire::press message_of(const press& p, mono_exact since, mono_time now) {
  return {.id = p.id, .source = p.source, .button = p.button, .occurred = known(p.occurred),
          .age_ms = told(std::chrono::floor<millis>(now - since)).value_or(std::numeric_limits<std::uint32_t>::max()),
          .request = p.request};
}

}  // namespace

emergency::emergency(emergency_store& store, const emergency_settings& settings, std::uint64_t seed, log_sink& log)
    : store_(store), settings_(settings), log_(log, "emergency"), random_{seed} {}

// ---- the store

void emergency::on_start(mono_time now, emergency_output& out) {
  load(now, out);
  show(now, out);
}

void emergency::load(mono_time now, emergency_output& out) {
  auto loaded = store_.load();
  load_at_ = loaded ? never : now + put_retry;
  if (!loaded) return log_.error("presses_not_read", {{"err", name_of(loaded.error().code)}});
  loaded_ = true;
  buttons_ = std::move(loaded->buttons);
  out.buttons_loaded = true;
  if (loaded->damaged != 0) log_.error("presses_damaged", {{"rows", loaded->damaged}});
  // Those that the centre has stay for a while too, for the panel and until the relay has their report.
  const auto calling = std::ranges::count_if(loaded->open, [](const press& p) { return p.stage < press_stage::accepted; });
  if (calling != 0) log_.warning("presses_open", {{"presses", calling}});
  join(now, std::move(loaded->open));
}

// Before those that came meanwhile; what was put meanwhile is known better here.
void emergency::join(mono_time now, std::vector<press> held) {
  std::vector<way> all;
  for (press& p : held) {
    if (find(p.id) != nullptr) continue;
    way& w = all.emplace_back();
    w.what = std::move(p);
    w.since = w.accepted_at = now;
    w.interrupted = true;
  }
  std::ranges::move(open_, std::back_inserter(all));
  open_ = std::move(all);
}

void emergency::put(mono_time now, way& w) {
  const status done = store_.put(w.what);
  w.put_at = done ? never : now + put_retry;
  if (done) return;
  ++counts_.put_failures;
  log_.error("press_not_saved", {{"press", id_text(w.what.id)}, {"err", name_of(done.error().code)}});
}

bool emergency::save_button(const known_button& what) {
  const status done = store_.put_button(what);
  if (!done) log_.error("button_not_saved", {{"err", name_of(done.error().code)}});
  return done.has_value();
}

void emergency::on_stored(mono_exact at) {
  for (way& w : open_) {
    if (w.timed_durable || w.put_at != never) continue;
    w.timed_durable = true;
    w.times.durable_us = told(at - w.since);
  }
}

// ---- a press

press_id emergency::on_press(mono_exact at, wall_at occurred, press_source source, std::string button, emergency_output& out) {
  return begin(at, {.id = {}, .source = source, .button = std::move(button), .occurred = occurred, .test = source == press_source::drill,
                    .stage = press_stage::calling}, out);
}

press_id emergency::on_drill(mono_exact at, wall_at occurred, std::uint64_t request, emergency_output& out) {
  const auto same = std::ranges::find_if(open_, [request](const way& w) { return w.what.request == request; });
  if (same != open_.end()) {
    send(to_mono(at), *same, out);
    return same->what.id;
  }
  const auto drills = std::ranges::count_if(open_, [](const way& w) { return w.what.test && !accepted(w); });
  if (drills >= static_cast<std::ptrdiff_t>(drills_max)) {
    log_.warning("drill_without_room", {{"open", drills}});
    return {};
  }
  return begin(at, {.id = {}, .source = press_source::drill, .button = {}, .occurred = occurred, .test = true,
                    .stage = press_stage::calling, .request = request}, out);
}

press_id emergency::begin(mono_exact at, press what, emergency_output& out) {
  const mono_time now = to_mono(at);
  if (open_.size() >= presses_max && !make_room(what.test)) {
    ++counts_.without_room;
    log_.error("press_without_room", {{"open", open_.size()}});
    if (what.test) return {};
    full_until_ = now + shown_after;
    show(now, out);
    return {};
  }
  ++(what.test ? counts_.drills : counts_.presses);
  way& w = open_.emplace_back();
  w.what = std::move(what);
  w.what.id = new_id();
  w.since = at;
  w.timed_durable = false;
  put(now, w);
  log_.warning("press", {{"press", id_text(w.what.id)}, {"source", static_cast<int>(w.what.source)}});
  show(now, out);
  send(now, w, out);
  return w.what.id;
}

// The centre has what is accepted, and a drill is none. If the store cannot forget it now, it comes back at the next start.
bool emergency::make_room(bool for_drill) {
  auto victim = std::ranges::find_if(open_, accepted);
  if (victim == open_.end() && !for_drill) victim = std::ranges::find_if(open_, [](const way& w) { return w.what.test; });
  if (victim == open_.end()) return false;
  log_.warning("press_gave_way", {{"press", id_text(victim->what.id)}, {"stage", static_cast<int>(victim->what.stage)}});
  (void)store_.forget(victim->what.id);
  open_.erase(victim);
  return true;
}

press_id emergency::new_id() {
  for (;;) {
    const press_id id{random_.next()};
    if (id != press_id{} && find(id) == nullptr) return id;
  }
}

void emergency::send(mono_time now, way& w, emergency_output& out) {
  if (!lane_up_ || accepted(w)) return;
  out.to_lane.emplace_back(message_of(w.what, w.since, now));
  w.answer_by = w.what.stage == press_stage::calling ? now + answer_max_ : never;
}

// ---- answers

emergency::way* emergency::find(press_id id) {
  const auto at = std::ranges::find(open_, id, [](const way& w) { return w.what.id; });
  return at != open_.end() ? &*at : nullptr;
}

bool emergency::urgent() const {
  return std::ranges::any_of(open_, [](const way& w) { return !accepted(w); });
}

void emergency::on_lane_up(mono_time now, emergency_output& out) {
  lane_up_ = true;
  unknown_told_ = false;
  for (way& w : open_) send(now, w, out);
  out.to_lane.emplace_back(troubles_.state());
  for (way& w : open_) {
    w.reported = false;
    if (accepted(w) ? w.timed_shown : w.what.undelivered) report(w, out);
  }
}

void emergency::on_lane_down() {
  lane_up_ = false;
  for (way& w : open_) w.answer_by = never;
}

void emergency::on_stage(mono_exact at, press_id id, press_stage stage, emergency_output& out) {
  way* const w = find(id);
  if (w == nullptr) {
    ++counts_.unknown_news;
    if (!std::exchange(unknown_told_, true)) log_.warning("news_of_no_press", {{"press", id_text(id)}});
    return;
  }
  w->answer_by = never;
  answer_max_ = lane_answer_max;
  if (stage == press_stage::received && w->what.stage == press_stage::calling) {
    if (!w->interrupted) w->times.received_us = told(at - w->since);
    go_further(at, *w, stage, out);
  } else if (stage == press_stage::accepted && !accepted(*w)) {
    accept(at, *w, press_path::relay, out);
  } else if (stage == press_stage::closed && w->what.stage == press_stage::accepted && w->reported) {
    go_further(at, *w, stage, out);
  }
}

void emergency::on_direct_accepted(mono_exact at, press_id id, emergency_output& out) {
  way* const w = find(id);
  if (w != nullptr && !accepted(*w)) accept(at, *w, press_path::direct, out);
}

void emergency::accept(mono_exact at, way& w, press_path path, emergency_output& out) {
  ++counts_.accepted;
  w.what.path = path;
  w.accepted_at = to_mono(at);
  w.answer_by = never;
  w.timed_shown = false;
  if (!w.interrupted) w.times.accepted_us = told(at - w.since);
  if (w.direct) out.stop_direct.push_back(w.what.id);
  log_.info("accepted", {{"press", id_text(w.what.id)}, {"path", static_cast<int>(path)},
                         {"after_ms", std::chrono::floor<millis>(at - w.since).count()}});
  go_further(at, w, press_stage::accepted, out);
}

void emergency::go_further(mono_exact at, way& w, press_stage stage, emergency_output& out) {
  w.what.stage = stage;
  put(to_mono(at), w);
  show(to_mono(at), out);
}

// ---- reports

void emergency::on_shown(mono_exact at, emergency_output& out) {
  for (way& w : open_) {
    if (w.timed_shown) continue;
    w.timed_shown = true;
    // If something worse is shown, nobody has seen that this one is accepted.
    if (panel_.word == panel_word::accepted && !w.interrupted) w.times.shown_us = told(at - w.since);
    report(w, out);
  }
}

void emergency::report(way& w, emergency_output& out) {
  if (!lane_up_ || !settings_.reports || w.what.stage == press_stage::closed) return;
  w.reported = accepted(w);
  out.to_lane.emplace_back(report_of(w));
}

wire::press_report emergency::report_of(const way& w) const {
  return {.id = w.what.id, .source = w.what.source, .button = w.what.button, .occurred = known(w.what.occurred), .path = w.what.path,
          .was_undelivered = w.what.undelivered, .interrupted = w.interrupted, .times = w.times, .request = w.what.request};
}

void emergency::set_trouble(trouble_kind kind, std::string_view button, bool on, emergency_output& out) {
  if (!troubles_.set(kind, button, on)) return;
  log_.warning("trouble", {{"kind", static_cast<int>(kind)}, {"on", on ? 1 : 0}});
  if (lane_up_) out.to_lane.emplace_back(troubles_.state());
}

// ---- time

void emergency::on_wake(mono_time now, emergency_output& out) {
  if (load_at_ <= now) load(now, out);
  for (way& w : open_) wake(now, w, out);
  std::erase_if(open_, [this, now, &out](way& w) { return over(now, w) && forget(now, w, out); });
  show(now, out);
}

void emergency::wake(mono_time now, way& w, emergency_output& out) {
  if (w.put_at <= now) put(now, w);
  if (accepted(w)) return;
  if (w.answer_by <= now) {
    w.answer_by = never;
    answer_max_ = std::min(answer_max_ * 2, lane_answer_most);
    out.redial = true;
  }
  if (!w.direct && settings_.direct_after > millis{0} && now >= at_least(w.since, settings_.direct_after)) {
    w.direct = true;
    out.to_direct.push_back(w.what);
  }
  if (w.what.undelivered || now < at_least(w.since, settings_.undelivered_after)) return;
  w.what.undelivered = true;
  ++counts_.undelivered;
  log_.error("not_delivered", {{"press", id_text(w.what.id)}});
  put(now, w);
  report(w, out);
}

// Kept while it is not durable: it is the only copy.
bool emergency::over(mono_time now, const way& w) const {
  if (w.put_at != never) return false;
  if (!accepted(w)) return w.what.test && now >= at_least(w.since, drill_max);
  if (now - w.accepted_at >= report_kept) return true;
  return now - w.accepted_at >= shown_after && (w.what.stage == press_stage::closed || !settings_.reports);
}

bool emergency::forget(mono_time now, way& w, emergency_output& out) {
  if (!store_.forget(w.what.id)) {
    w.put_at = now + put_retry;
    return false;
  }
  if (w.direct && !accepted(w)) out.stop_direct.push_back(w.what.id);
  if (accepted(w) && w.what.stage != press_stage::closed && settings_.reports)
    log_.error("report_given_up", {{"press", id_text(w.what.id)}});
  return true;
}

mono_time emergency::next_wake(const way& w) const {
  if (w.put_at != never && accepted(w)) return w.put_at;
  if (accepted(w)) {
    const bool kept = w.what.stage != press_stage::closed && settings_.reports;
    return w.accepted_at + (kept && w.shown_over ? report_kept : shown_after);
  }
  mono_time at = std::min(w.put_at, w.answer_by);
  if (!w.direct && settings_.direct_after > millis{0}) at = std::min(at, at_least(w.since, settings_.direct_after));
  if (!w.what.undelivered) at = std::min(at, at_least(w.since, settings_.undelivered_after));
  if (w.what.test && w.put_at == never) at = std::min(at, at_least(w.since, drill_max));
  return at;
}

mono_time emergency::next_wake() const {
  mono_time at = std::min(load_at_, full_until_ == mono_time::min() ? never : full_until_);
  for (const way& w : open_) at = std::min(at, next_wake(w));
  return at;
}

// ---- the panel

panel_word emergency::word_of(const way& w) const {
  if (accepted(w)) return w.shown_over ? panel_word::idle : panel_word::accepted;
  if (w.what.undelivered) return panel_word::not_delivered;
  return w.what.stage == press_stage::received ? panel_word::received : panel_word::calling;
}

void emergency::show(mono_time now, emergency_output& out) {
  if (full_until_ <= now) full_until_ = mono_time::min();
  panel_view view;
  bool unsaved = !loaded_;
  view.test = true;
  for (way& w : open_) {
    w.shown_over = accepted(w) && now - w.accepted_at >= shown_after;
    const panel_word word = word_of(w);
    view.word = std::max(view.word, word);
    view.test = view.test && (w.what.test || word == panel_word::idle);
    unsaved = unsaved || w.put_at != never;
  }
  view.not_saved = unsaved;
  if (full_until_ > now) view = {.word = panel_word::not_delivered, .test = false, .not_saved = unsaved};
  if (view.word == panel_word::idle) view.test = false;
  set_trouble(trouble_kind::press_not_saved, {}, unsaved, out);
  if (view == panel_) return;
  panel_ = view;
  out.panel = view;
}

}  // namespace tomoshibi::firmware
