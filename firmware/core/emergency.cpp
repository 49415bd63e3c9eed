#include "firmware/core/emergency.hpp"

#include "protocol/base/bytes.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::firmware {
namespace {

std::string id_text(press_id id) {
  bytes out;
  for (int shift = 56; shift >= 0; shift -= 8) put_u8(out, static_cast<std::uint8_t>(std::to_underlying(id) >> shift));
  return to_hex(out);
}

}  // namespace

emergency::emergency(emergency_store& store, const emergency_settings& settings, std::uint64_t seed, log_sink& log)
    : store_(store), settings_(settings), log_(log, "emergency"), random_{seed} {}

status emergency::on_start(mono_time now, emergency_output& out) {
  auto loaded = store_.load();
  if (!loaded) return std::unexpected(loaded.error());
  buttons_ = std::move(loaded->buttons);
  for (press& p : loaded->open) {
    way& w = open_.emplace_back();
    w.what = std::move(p);
    w.since = w.accepted_at = now;
  }
  if (loaded->damaged != 0) log_.error("presses_damaged", {{"rows", loaded->damaged}});
  if (!open_.empty()) log_.warning("presses_open", {{"presses", open_.size()}});
  show(now, out);
  return {};
}

// ---- a press

press_id emergency::on_press(mono_time now, wall_at occurred, press_source source, std::string button,
                                  emergency_output& out) {
  if (open_.size() >= presses_max) {
    log_.error("press_without_room", {{"open", open_.size()}});
    full_until_ = now + shown_after;
    show(now, out);
    return {};
  }
  way& w = open_.emplace_back();
  w.what = {.id = new_id(), .source = source, .button = std::move(button), .occurred = occurred,
            .test = source == press_source::drill, .stage = press_stage::calling};
  w.since = now;
  put(now, w);
  log_.warning("press", {{"press", id_text(w.what.id)}, {"source", static_cast<int>(source)}});
  show(now, out);
  send(now, w, out);
  return w.what.id;
}

press_id emergency::new_id() {
  for (;;) {
    const press_id id{random_.next()};
    if (id != press_id{} && find(id) == nullptr) return id;
  }
}

void emergency::put(mono_time now, way& w) {
  const status done = store_.put(w.what);
  w.put_at = done ? never : now + put_retry;
  if (!done) log_.error("press_not_saved", {{"press", id_text(w.what.id)}, {"err", name_of(done.error().code)}});
}

void emergency::save_button(const known_button& what) {
  if (auto done = store_.put_button(what); !done) log_.error("button_not_saved", {{"err", name_of(done.error().code)}});
}

void emergency::send(mono_time now, way& w, emergency_output& out) {
  if (!lane_up_ || accepted(w)) return;
  out.to_lane.push_back(w.what);
  w.answer_by = w.what.stage == press_stage::calling ? now + lane_answer_max : never;
}

// ---- answers

emergency::way* emergency::find(press_id id) {
  const auto at = std::ranges::find(open_, id, [](const way& w) { return w.what.id; });
  return at != open_.end() ? &*at : nullptr;
}

void emergency::on_lane_up(mono_time now, emergency_output& out) {
  lane_up_ = true;
  for (way& w : open_) send(now, w, out);
}

void emergency::on_lane_down() {
  lane_up_ = false;
  for (way& w : open_) w.answer_by = never;
}

void emergency::on_stage(mono_time now, press_id id, press_stage stage, emergency_output& out) {
  way* const w = find(id);
  if (w == nullptr) return;
  w->answer_by = never;
  if (stage > w->what.stage) go_further(now, *w, stage, out);
}

void emergency::on_direct_accepted(mono_time now, press_id id, emergency_output& out) {
  way* const w = find(id);
  if (w != nullptr && !accepted(*w)) go_further(now, *w, press_stage::accepted, out);
}

void emergency::go_further(mono_time now, way& w, press_stage stage, emergency_output& out) {
  w.what.stage = stage;
  put(now, w);
  if (stage == press_stage::accepted) {
    w.accepted_at = now;
    w.answer_by = never;
    if (w.direct) out.stop_direct.push_back(w.what.id);
    log_.info("accepted", {{"press", id_text(w.what.id)}, {"after_ms", (now - w.since).count()}});
  }
  show(now, out);
}

// ---- time

void emergency::on_wake(mono_time now, emergency_output& out) {
  for (way& w : open_) wake(now, w, out);
  std::erase_if(open_, [this, now, &out](way& w) { return over(now, w) && forget(now, w, out); });
  show(now, out);
}

void emergency::wake(mono_time now, way& w, emergency_output& out) {
  if (w.put_at <= now) put(now, w);
  if (accepted(w)) return;
  if (w.answer_by <= now) {
    w.answer_by = never;
    out.redial = true;
  }
  if (!w.direct && settings_.direct_after > millis{0} && now - w.since >= settings_.direct_after) {
    w.direct = true;
    out.to_direct.push_back(w.what);
  }
}

// Kept while it is not durable: it is the only copy.
bool emergency::over(mono_time now, const way& w) const {
  if (w.put_at != never) return false;
  if (accepted(w)) return now - w.accepted_at >= shown_after;
  return w.what.test && now - w.since >= drill_max;
}

bool emergency::forget(mono_time now, way& w, emergency_output& out) {
  if (!store_.forget(w.what.id)) {
    w.put_at = now + put_retry;
    return false;
  }
  if (w.direct && !accepted(w)) out.stop_direct.push_back(w.what.id);
  return true;
}

mono_time emergency::next_wake(const way& w) const {
  if (accepted(w)) return w.put_at != never ? w.put_at : w.accepted_at + shown_after;
  mono_time at = std::min(w.put_at, w.answer_by);
  if (!w.direct && settings_.direct_after > millis{0}) at = std::min(at, w.since + settings_.direct_after);
  if (panel_.word != panel_word::not_delivered) at = std::min(at, w.since + settings_.undelivered_after);
  if (w.what.test && w.put_at == never) at = std::min(at, w.since + drill_max);
  return at;
}

mono_time emergency::next_wake() const {
  mono_time at = full_until_ == mono_time::min() ? never : full_until_;
  for (const way& w : open_) at = std::min(at, next_wake(w));
  return at;
}

// ---- the panel

panel_word emergency::word_of(mono_time now, const way& w) const {
  if (accepted(w)) return panel_word::accepted;
  if (now - w.since >= settings_.undelivered_after) return panel_word::not_delivered;
  return w.what.stage == press_stage::received ? panel_word::received : panel_word::calling;
}

void emergency::show(mono_time now, emergency_output& out) {
  if (full_until_ <= now) full_until_ = mono_time::min();
  panel_view view;
  view.test = !open_.empty();
  for (const way& w : open_) {
    view.word = std::max(view.word, word_of(now, w));
    view.test = view.test && w.what.test;
    view.not_saved = view.not_saved || w.put_at != never;
  }
  if (full_until_ > now) view = {.word = panel_word::not_delivered, .test = false, .not_saved = view.not_saved};
  if (view == panel_) return;
  panel_ = view;
  out.panel = view;
}

}  // namespace tomoshibi::firmware
