#include "firmware/core/timeline.hpp"

#include "protocol/base/probe.hpp"

namespace tomoshibi::firmware {

void timeline::configure(mono_time now, const wire::config& config) {
  aggregator_.configure(config, clock_.known() ? std::optional{clock_.wall(now)} : std::nullopt);
}

std::optional<wall_at> timeline::made_until() const {
  const auto open = aggregator_.open_slot_known();
  if (!open) return {};
  return start_of(*open);
}

void timeline::on_system_clock(mono_time now, const system_clock_reading& clock, aggregator_output& out) {
  advance(now, out);
  apply(now, clock_.on_system(now, clock, made_until()), out);
}

void timeline::on_relay_clock(mono_time now, wall_at told, millis round_trip, aggregator_output& out) {
  advance(now, out);
  apply(now, clock_.on_relay(now, told, round_trip), out);
}

void timeline::advance(mono_time now, aggregator_output& out) {
  if (now >= clock_.next_wake()) apply(now, clock_.on_wake(now), out);
  if (aggregator_.running()) aggregator_.advance(clock_.wall(now), wire::gap_reason::gateway_off, out);
}

void timeline::apply(mono_time now, const slot_clock::change& change, aggregator_output& out) {
  if (change.known) {
    begin(now, out);
  } else if (aggregator_.running()) {
    step(now, change.step, out);
  }
  if (change.synced) out.records.emplace_back(wire::event{wire::event_kind::clock_synced, change.step.count()});
}

void timeline::begin(mono_time now, aggregator_output& out) {
  aggregator_.begin(clock_.wall(started_), !clock_.synced(), out);
  if (journal_.size() > 0) hit(probe::journal_played);
  for (const auto& entry : journal_.take()) {
    const wall_at at = clock_.wall(entry.at);
    aggregator_.advance(at, wire::gap_reason::no_clock, out);
    const auto& appliances = aggregator_.appliances();
    for (std::size_t i = 0; i < appliances.size(); ++i) {
      if (appliances[i].appliance != entry.appliance) continue;
      if (entry.missed) {
        aggregator_.on_missed(i);
      } else {
        aggregator_.on_reading(at, i, entry.reading, out);
      }
    }
  }
  aggregator_.advance(clock_.wall(now), wire::gap_reason::no_clock, out);
}

// The aggregator stands at the old calendar's present.
void timeline::step(mono_time now, millis by, aggregator_output& out) {
  const bool large = std::chrono::abs(by) >= clock_step_min;
  if (large) {
    if (by < 0ms) hit(probe::clock_stepped_back);
    ++steps_;
    aggregator_.mark_open_slot_uncertain();
    out.records.emplace_back(wire::event{wire::event_kind::clock_stepped, by.count()});
    out.checkpoint_wanted = true;
  }
  aggregator_.set_time_uncertain(!clock_.synced());
  if (by < 0ms) aggregator_.shift(by);
  aggregator_.advance(clock_.wall(now), wire::gap_reason::clock_step, out);
  if (large) aggregator_.mark_open_slot_uncertain();
}

void timeline::on_reading(mono_time now, std::size_t index, const appliance_reading& reading, aggregator_output& out) {
  if (aggregator_.running()) {
    aggregator_.on_reading(clock_.wall(now), index, reading, out);
  } else {
    journal_.add({now, aggregator_.appliances()[index].appliance, false, reading});
  }
}

void timeline::on_missed(mono_time now, std::size_t index) {
  if (aggregator_.running()) {
    aggregator_.on_missed(index);
  } else {
    journal_.add({now, aggregator_.appliances()[index].appliance, true, {}});
  }
}

bool timeline::ahead(mono_time now) const {
  return aggregator_.running() && start_of(aggregator_.open_slot()) - clock_.wall(now) > slot_length;
}

mono_time timeline::next_wake() const {
  if (!aggregator_.running()) return clock_.next_wake();
  return clock_.mono(end_of(aggregator_.open_slot()));
}

}  // namespace tomoshibi::firmware
