// What was drawn begins and ends; what that means for the truth.
#include "tools/sim.d/world.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

// After devices are well again: probing, identification, the search every ten minutes, a poll.
constexpr millis devices_recover = 30min;
// A use that a device forgot because its power was cut goes on for so long at most.
constexpr millis longest_use = 3h;

bool takes_sight(fault_kind kind) {
  return kind >= fault_kind::device_silent && kind <= fault_kind::meter_swap && kind != fault_kind::device_duplicate &&
         kind != fault_kind::device_no_value && kind != fault_kind::device_faulty && kind != fault_kind::meter_reset;
}

millis step_of(const drawn_fault& f) {
  if (f.kind == fault_kind::relay_clock_lost) return -(f.until - f.from) / 2;
  return millis{to_ms(f.from) % 2 == 0 ? f.amount : -f.amount};
}

}  // namespace

void world::schedule_faults() {
  for (std::uint32_t i = 0; i < plan_.faults.size(); ++i) {
    const drawn_fault& f = plan_.faults[i];
    push(f.from, event_kind::fault_begins, f.home, i);
    push(f.until, event_kind::fault_ends, f.home, i);
  }
  push(calm_, event_kind::calm);
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    const std::int64_t ppm = std::abs(plan_.traits[h].drift_ppm);
    // What the drift has made of the whole run, and what the relay's word may be wrong by.
    if (ppm != 0) homes_[h]->truth().clock_error_max = millis{to_ms(end_) * ppm / 1'000'000} + 12s;
    else if (!plan_.traits[h].time_service) homes_[h]->truth().clock_error_max = 12s;
    if (!plan_.traits[h].time_service) homes_[h]->truth().clock_error_max += std::chrono::abs(relay_drift(end_));
  }
}

millis world::relay_behind_max() const {
  millis most{};
  for (const drawn_fault& f : plan_.faults)
    if (f.kind == fault_kind::relay_clock_step || f.kind == fault_kind::relay_clock_lost) most = std::max(most, -step_of(f));
  return most + std::max(0ms, -relay_drift(end_));
}

void world::begin_fault(const drawn_fault& f) {
  if (f.kind < fault_kind::line_cut) return begin_home_fault(f);
  if (f.kind <= fault_kind::line_slow || f.kind == fault_kind::mass_cut) return begin_line_fault(f);
  if (f.kind > fault_kind::mass_cut) return begin_relay_fault(f);
  note_device_fault(f);
  homes_[f.home]->begin_device_fault(now_, f, said_);
  home_said(f.home);
}

void world::end_fault(const drawn_fault& f) {
  switch (f.kind) {
    case fault_kind::gateway_disk_fails:
    case fault_kind::gateway_disk_full:
    case fault_kind::gateway_reads_fail: return homes_[f.home]->flash().mend();
    case fault_kind::clock_step:
      homes_[f.home]->set_clock_error({});
      return push(now_, event_kind::clock_tick, f.home);
    case fault_kind::line_half_open:
      if (f.amount % 2 == 0) return;
      [[fallthrough]];
    case fault_kind::line_cut: --lines_[f.home].broken; return;
    case fault_kind::line_slow: lines_[f.home].slow = {}; return;
    case fault_kind::mass_cut:
      for (line& l : lines_) --l.broken;
      return;
    case fault_kind::relay_disk_fails:
    case fault_kind::relay_disk_full:
    case fault_kind::relay_reads_fail: return disk_->mend();
    case fault_kind::mail_refused: weather_.refused = 0; return;
    case fault_kind::mail_rejected: weather_.rejected = 0; return;
    case fault_kind::mail_delayed: weather_.delay = {}; return;
    case fault_kind::mail_answer_lost: weather_.answer_lost = 0; return;
    case fault_kind::relay_clock_step:
    case fault_kind::relay_clock_lost: return set_relay_step({});
    default:
      if (f.kind < fault_kind::device_silent || f.kind > fault_kind::meter_swap) return;
      homes_[f.home]->end_device_fault(now_, f, said_);
      return home_said(f.home);
  }
}

// ---- a home

void world::arm(disk& on, const drawn_fault& f) {
  const auto nth = static_cast<std::uint64_t>(f.amount);
  constexpr std::uint64_t until_mended = UINT64_MAX / 2;
  switch (f.kind) {
    case fault_kind::gateway_commit_lost:
    case fault_kind::relay_commit_lost: return on.arm({disk_fault_kind::cut_before, nth, 1});
    case fault_kind::gateway_commit_unheard:
    case fault_kind::relay_commit_unheard: return on.arm({disk_fault_kind::cut_after, nth, 1});
    case fault_kind::gateway_commit_torn:
    case fault_kind::relay_commit_torn: return on.arm({disk_fault_kind::torn, nth, 1});
    case fault_kind::gateway_disk_fails:
    case fault_kind::relay_disk_fails: return on.arm({disk_fault_kind::fail, nth, f.per_mille == 1000 ? until_mended : nth});
    case fault_kind::gateway_disk_full:
    case fault_kind::relay_disk_full: return on.arm({disk_fault_kind::full, nth, until_mended});
    case fault_kind::gateway_reads_fail:
    case fault_kind::relay_reads_fail: return on.arm({disk_fault_kind::fail_reads, nth, nth});
    case fault_kind::gateway_row_corrupt: return on.arm({disk_fault_kind::corrupt, 1, 1});
    case fault_kind::relay_row_corrupt: return on.arm({disk_fault_kind::corrupt, nth, 1});
    case fault_kind::gateway_disk_ruined: return on.arm({disk_fault_kind::ruined, 1, 1});
    default: return;
  }
}

void world::begin_home_fault(const drawn_fault& f) {
  home& h = *homes_[f.home];
  box& b = boxes_[f.home];
  switch (f.kind) {
    case fault_kind::gateway_off: return gateway_off(f.home, f.until);
    case fault_kind::gateway_stop:
      if (!h.on()) return gateway_off(f.home, f.until);  // it is away for longer, and comes back then
      h.on_stop(now_, gateway_out_);
      gateway_said(f.home);
      return gateway_off(f.home, f.until);
    case fault_kind::gateway_cut_at_action: b.cut_after = static_cast<std::uint32_t>(f.amount); return;
    case fault_kind::clock_step:
      if (!h.traits().time_service) return;
      note_clock_step(f);
      h.set_clock_error(step_of(f));
      return push(now_, event_kind::clock_tick, f.home);
    default:
      if (!b.disk_trouble) b.disk_trouble = now_;
      if (f.kind == fault_kind::gateway_disk_fails || f.kind == fault_kind::gateway_disk_full)
        b.disk_bad_until = std::max(b.disk_bad_until, f.until);
      arm(h.flash(), f);
      if (f.kind == fault_kind::gateway_disk_ruined) gateway_off(f.home, f.until);  // found at the next start
  }
}

void world::note_device_fault(const drawn_fault& f) {
  home_truth& t = homes_[f.home]->truth();
  const wall_at from = wall_of(f.from);
  const wall_at until = wall_of(f.until) + devices_recover + 2 * homes_[f.home]->gap_limit();
  if (takes_sight(f.kind)) t.may_be_unknown.add(from, until);
  if (f.kind == fault_kind::device_off) t.disturbed.add(from, until + longest_use);
  else if (takes_sight(f.kind)) t.disturbed.add(from, until);
}

// From the wrong time to the right one and back: what is told of all that lies between is of another time, and what was
// made for a future that the relay did not take is told by nobody.
void world::note_clock_step(const drawn_fault& f) {
  constexpr millis day = 24h;
  home_truth& t = homes_[f.home]->truth();
  const millis by = step_of(f);
  const wall_at from = std::min(wall_of(f.from), wall_of(f.from) + by) - 2 * slot_length;
  const wall_at until = std::max(wall_of(f.until), wall_of(f.until) + by) + 2 * slot_length;
  t.clock_doubt.add(from, until);
  t.may_be_unknown.add(from, until);
  t.may_be_absent.add(from, until);
  // Slots made for a future longer than a day are made again: it is ahead when a fast clock is set right, or a slow one begins.
  const millis ahead = by < 0ms ? -by : by + (f.until - f.from);
  if (ahead > day - 2 * slot_length) t.may_be_twice.add(from, until);
  for (auto& m : t.meters) m.unbounded_below = true;
}

// ---- lines

void world::begin_line_fault(const drawn_fault& f) {
  line& l = lines_[f.home];
  switch (f.kind) {
    case fault_kind::line_cut:
      ++statistics_.line_cuts;
      ++l.broken;
      return lose_connection(f.home, true, true);
    case fault_kind::line_half_open:
      ++statistics_.line_cuts;
      if (f.amount % 2 != 0) ++l.broken;
      switch (random_.below(3)) {
        case 0: return lose_connection(f.home, true, false);
        case 1: return lose_connection(f.home, false, true);
        default: return lose_connection(f.home, false, false);
      }
    case fault_kind::line_stall: l.stalled_until = std::max(l.stalled_until, f.until); return;
    case fault_kind::line_reset: l.reset_after = static_cast<std::uint32_t>(f.amount); return;
    case fault_kind::line_slow: l.slow = millis{f.amount}; return;
    default: break;
  }
  ++statistics_.line_cuts;
  for (std::uint32_t h = 0; h < lines_.size(); ++h) {
    ++lines_[h].broken;
    lose_connection(h, true, random_.chance(500));
  }
}

// ---- the relay and the mail server

void world::begin_relay_fault(const drawn_fault& f) {
  switch (f.kind) {
    case fault_kind::relay_off: return relay_off(f.until);
    case fault_kind::relay_stop: return stop_relay(f.until);
    case fault_kind::relay_cut_at_action: relay_cut_after_ = static_cast<std::uint32_t>(f.amount); return;
    case fault_kind::mail_refused: weather_.refused = f.per_mille; return;
    case fault_kind::mail_rejected: weather_.rejected = f.per_mille / 4; return;
    case fault_kind::mail_delayed: weather_.delay = millis{f.amount}; return;
    case fault_kind::mail_answer_lost: weather_.answer_lost = f.per_mille; return;
    case fault_kind::relay_clock_step: return set_relay_step(step_of(f));
    case fault_kind::relay_clock_lost:
      relay_off(f.from + (f.until - f.from) / 2);
      return set_relay_step(step_of(f));
    default: return arm(*disk_, f);
  }
}

void world::begin_calm() {
  weather_ = {};
  relay_cut_after_ = 0;
  disk_->mend();
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    homes_[h]->flash().mend();
    boxes_[h].cut_after = 0;
    lines_[h].reset_after = 0;
    lines_[h].slow = {};
  }
}

}  // namespace tomoshibi::sim
