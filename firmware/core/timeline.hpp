// Puts readings on the calendar: slot_clock + journal + aggregator.
//
// Before time is known readings go to the journal; then they are played at the calendar times they turn out to have had.
// Afterwards each turn first brings the aggregator to the present, so a slot ends on time whether or not a reading
// comes. A reading belongs to the slot of its arrival: there is no period of grace, because what arrives after the end
// was, as far as the gateway can know, true after the end.
#pragma once

#include "firmware/core/aggregator.hpp"
#include "firmware/core/journal.hpp"
#include "firmware/core/slot_clock.hpp"

namespace tomoshibi::firmware {

class timeline {
public:
  explicit timeline(wall_at built) : clock_(built) {}

  void on_start(mono_time now) { started_ = now; }
  void restore(const aggregator_checkpoint& checkpoint) { aggregator_.restore(checkpoint); }
  void configure(mono_time now, const wire::config& config);

  void on_system_clock(mono_time now, const system_clock_reading& clock, aggregator_output& out);
  void on_relay_clock(mono_time now, wall_at told, millis round_trip, aggregator_output& out);
  // Brings everything to `now`; first thing of every turn.
  void advance(mono_time now, aggregator_output& out);

  void on_reading(mono_time now, std::size_t index, const appliance_reading& reading, aggregator_output& out);
  void on_missed(mono_time now, std::size_t index);

  // The open slot lies more than a slot ahead of the calendar: catch_up() is to be tried.
  bool ahead(mono_time now) const;

  mono_time next_wake() const;
  const slot_clock& clock() const { return clock_; }
  const journal& held_back() const { return journal_; }
  std::uint64_t steps() const { return steps_; }
  aggregator& slots() { return aggregator_; }
  const aggregator& slots() const { return aggregator_; }

private:
  std::optional<wall_at> made_until() const;
  void apply(mono_time now, const slot_clock::change& change, aggregator_output& out);
  void begin(mono_time now, aggregator_output& out);
  void step(mono_time now, millis by, aggregator_output& out);

  slot_clock clock_;
  journal journal_;
  aggregator aggregator_;
  mono_time started_{};
  std::uint64_t steps_ = 0;
};

}  // namespace tomoshibi::firmware
