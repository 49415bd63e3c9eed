#include "firmware/core/aggregator.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>
#include <limits>

namespace tomoshibi::firmware {
namespace {

constexpr std::int64_t ms_per_hour = 3'600'000;

void count_up(std::uint16_t& n) {
  if (n < std::numeric_limits<std::uint16_t>::max()) ++n;
}

void add_energy(slot_account& account, std::uint32_t wh, bool after_gap) {
  const std::uint64_t sum = std::uint64_t{account.energy_wh} + wh;
  account.energy_wh = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, std::numeric_limits<std::uint32_t>::max()));
  account.has_energy = true;
  account.after_gap = account.after_gap || after_gap;
}

wire::appliance_slot told(appliance_id id, const slot_account& account) {
  wire::appliance_slot slot;
  slot.appliance = id;
  slot.state = account.on ? slot_state::on : account.missing ? slot_state::unknown : slot_state::off;
  if (account.on) {
    const std::int64_t seconds_max = std::chrono::duration_cast<std::chrono::seconds>(slot_length).count();
    slot.on_seconds = static_cast<std::uint16_t>(std::clamp<std::int64_t>((account.on_ms + 999) / 1000, 1, seconds_max));
  }
  if (account.has_energy) slot.energy_wh = account.energy_wh;
  slot.energy_after_gap = account.after_gap;
  slot.readings_expected = account.expected;
  slot.readings_got = account.got;
  return slot;
}

// Could a meter behind `power_w_max` have risen from the baseline to `value` by `at`?
bool plausible_rise(const meter_baseline& from, std::uint32_t value, wall_at at, std::uint32_t power_w_max) {
  if (value < from.counter_wh) return false;
  const std::int64_t elapsed_ms = std::max<std::int64_t>(0, (at - from.at).count());
  const std::int64_t watts = power_w_max == 0 ? power_w_max_default : power_w_max;
  // A rise needs less than 2^32 Wh; longer than that allows is not worth an overflow.
  const std::int64_t hours_max = std::int64_t{1} << 32;
  const std::int64_t hours = std::min(elapsed_ms / ms_per_hour, hours_max / watts);
  const std::int64_t allowed = hours * watts + (elapsed_ms % ms_per_hour) * watts / ms_per_hour + energy_slack_wh;
  return value - from.counter_wh <= allowed;
}

}  // namespace

aggregator::state aggregator::fresh_state() const {
  state s;
  s.accounted = running_ ? start_of(open_) : wall_at{};
  return s;
}

void aggregator::configure(const wire::config& config, std::optional<wall_at> at) {
  if (running_ && at) {
    for (auto& s : states_) account_until(s, *at);
  }
  std::vector<state> states;
  for (const auto& spec : config.appliances) {
    state s = fresh_state();
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (specs_[i].appliance != spec.appliance) continue;
      s = states_[i];
      if (means_other(specs_[i], spec)) s.held = false;
    }
    states.push_back(s);
  }
  specs_ = config.appliances;
  states_ = std::move(states);
  gap_limit_ = std::chrono::seconds{config.gap_limit_s};
}

void aggregator::restore(const aggregator_checkpoint& checkpoint) {
  TOMO_REQUIRE(!running_);
  left_ = checkpoint;
}

aggregator_checkpoint aggregator::checkpoint() const {
  aggregator_checkpoint out;
  out.open = open_;
  out.at = now_;
  out.uncertain = open_uncertain_;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    state s = states_[i];
    account_until(s, now_);
    out.appliances.push_back({specs_[i].appliance, s.account, s.meter});
  }
  return out;
}

std::optional<slot_index> aggregator::open_slot_known() const {
  if (running_) return open_;
  if (left_) return left_->open;
  return {};
}

void aggregator::begin(wall_at at, bool uncertain, aggregator_output& out) {
  TOMO_REQUIRE(!running_);
  running_ = true;
  now_ = at;
  time_uncertain_ = uncertain;
  open_at(slot_of(at));
  out.checkpoint_wanted = true;
  if (!left_) return;

  open_ = left_->open;
  open_uncertain_ = left_->uncertain || uncertain;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    for (const auto& kept : left_->appliances) {
      if (kept.id != specs_[i].appliance) continue;
      states_[i].account = kept.account;
      states_[i].meter = kept.meter;
    }
    states_[i].account.missing = true;  // nobody looked between the checkpoint and now
    states_[i].accounted = at;
  }
  left_.reset();
  advance(at, wire::gap_reason::gateway_off, out);
}

void aggregator::open_at(slot_index slot) {
  open_ = slot;
  open_uncertain_ = time_uncertain_;
  for (auto& s : states_) {
    s.account = {};
    s.accounted = start_of(slot);
  }
}

void aggregator::account_until(state& s, wall_at to) const {
  if (to <= s.accounted) return;
  const wall_at held_until = s.held ? s.held_since + gap_limit_ : s.accounted;
  const wall_at known_until = std::min(to, held_until);
  if (s.held && s.held_on && known_until > s.accounted) {
    s.account.on_ms += (known_until - s.accounted).count();
    s.account.on = true;
  }
  if (to > held_until) s.account.missing = true;
  s.accounted = to;
}

void aggregator::advance(wall_at to, wire::gap_reason reason, aggregator_output& out) {
  TOMO_REQUIRE(running_);
  if (to > now_) now_ = to;
  if (to < end_of(open_)) return;
  const slot_index next = slot_of(to);
  const slot_index closed = open_;
  close_open_slot(out);
  make_gap(closed + 1, next - (closed + 1), reason, out);
  open_at(next);
  out.checkpoint_wanted = true;
}

void aggregator::close_open_slot(aggregator_output& out) {
  const wall_at end = end_of(open_);
  for (auto& s : states_) account_until(s, end);
  if (specs_.empty()) return;  // nothing to tell
  wire::slot_closed slot;
  slot.slot = open_;
  slot.time_uncertain = open_uncertain_;
  slot.appliances.reserve(specs_.size());
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    slot.appliances.push_back(told(specs_[i].appliance, states_[i].account));
  }
  out.records.emplace_back(std::move(slot));
}

void aggregator::make_gap(slot_index first, std::int32_t count, wire::gap_reason reason, aggregator_output& out) const {
  if (specs_.empty()) return;
  const auto part_max = static_cast<std::int32_t>(wire::gap_slots_max);
  while (count > 0) {
    wire::slot_gap gap;
    gap.first_slot = first;
    gap.count = static_cast<std::uint32_t>(std::min(count, part_max));
    gap.reason = reason;
    gap.time_uncertain = time_uncertain_;
    for (const auto& spec : specs_) gap.appliances.push_back(spec.appliance);
    first = first + static_cast<std::int32_t>(gap.count);
    count -= static_cast<std::int32_t>(gap.count);
    out.records.emplace_back(std::move(gap));
  }
}

void aggregator::on_reading(wall_at at, std::size_t index, const appliance_reading& reading, aggregator_output& out) {
  TOMO_REQUIRE(running_ && index < states_.size());
  state& s = states_[index];
  const bool was_on = s.account.on;
  account_until(s, at);
  if (reading.polled) count_up(s.account.expected);
  if (reading.polled && (reading.on || reading.on_told)) count_up(s.account.got);
  if (reading.on) {
    s.held = true;
    s.held_on = *reading.on;
    s.held_since = at;
    if (s.held_on) s.account.on = true;
  }
  if (s.account.on && !was_on) out.checkpoint_wanted = true;
  if (reading.energy_wh) take_energy(at, index, reading, out);
}

void aggregator::on_missed(std::size_t index) {
  TOMO_REQUIRE(running_ && index < states_.size());
  count_up(states_[index].account.expected);
}

void aggregator::take_energy(wall_at at, std::size_t index, const appliance_reading& reading, aggregator_output& out) {
  state& s = states_[index];
  const std::uint32_t value = *reading.energy_wh;
  if (s.meter) {
    const meter_baseline& from = *s.meter;
    if (from.meter != reading.meter) {
      // Two meters match the appliance: the one first heard stays until it has been silent for the gap limit.
      if (at - from.at <= gap_limit_) return hit(probe::meter_other_waits);
      out.records.emplace_back(wire::event{wire::event_kind::meter_rebased, static_cast<std::int64_t>(specs_[index].appliance)});
    } else if (!plausible_rise(from, value, at, specs_[index].power_w_max)) {
      hit(probe::meter_rebased);
      out.records.emplace_back(wire::event{wire::event_kind::meter_rebased, static_cast<std::int64_t>(specs_[index].appliance)});
    } else {
      add_energy(s.account, value - from.counter_wh, from.slot < open_ - 1);
    }
  }
  s.meter = meter_baseline{reading.meter, value, at, open_};
}

void aggregator::shift(millis by) {
  TOMO_REQUIRE(running_ && by <= 0ms);
  now_ += by;
  for (auto& s : states_) {
    s.accounted += by;
    s.held_since += by;
    if (s.meter) s.meter->at += by;
  }
}

void aggregator::rewind(slot_index target, const wire::slot_closed* made, const std::vector<wire::appliance_slot>& moved) {
  TOMO_REQUIRE(running_ && target < open_);
  open_ = target;
  open_uncertain_ = true;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    slot_account& account = states_[i].account;
    account.missing = true;  // the slot was cut in two
    if (states_[i].meter && states_[i].meter->slot > target) states_[i].meter->slot = target;
    if (made) {
      for (const auto& before : made->appliances) {
        if (before.appliance != specs_[i].appliance) continue;
        account.on = account.on || before.state == slot_state::on;
        account.on_ms += before.on_seconds * 1000;
        account.expected = static_cast<std::uint16_t>(account.expected + before.readings_expected);
        account.got = static_cast<std::uint16_t>(account.got + before.readings_got);
        if (before.energy_wh) add_energy(account, *before.energy_wh, before.energy_after_gap);
      }
    }
    for (const auto& gone : moved) {
      if (gone.appliance == specs_[i].appliance && gone.energy_wh) add_energy(account, *gone.energy_wh, true);
    }
  }
}

void aggregator::set_time_uncertain(bool uncertain) {
  time_uncertain_ = uncertain;
  if (uncertain) open_uncertain_ = true;
}

}  // namespace tomoshibi::firmware
