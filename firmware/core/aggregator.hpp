// Readings become slots: sample and hold over a calendar axis cut at every quarter of an hour.
//
// Pure: the time of each event is an argument, a wall_at on an axis that the caller keeps going forward; when the
// calendar is corrected backwards the caller says so with shift(). Rules: docs/ARCHITECTURE.md, "Aggregator".
//
// States: idle (no time known; configure, restore only) -> running from begin() on. Nothing is allocated per reading.
// Intervals are half open: a reading at :15:00.000 belongs to the new slot, one at :14:59.999 to the old.
#pragma once

#include "firmware/core/watch.hpp"
#include "protocol/base/slot.hpp"
#include "protocol/wire/messages.hpp"

#include <optional>
#include <vector>

namespace tomoshibi::firmware {

using record_body = decltype(wire::record::body);

inline constexpr std::uint32_t power_w_max_default = 3000;
// One step of the coarsest counter in use (0.1 kWh): a rise of so much is believed at any speed.
inline constexpr std::uint32_t energy_slack_wh = 100;

struct aggregator_output {
  std::vector<record_body> records;    // slots, gaps and meter events, in order
  bool checkpoint_wanted = false;      // to be committed now, together with the records
};

// What the open slot knows of one appliance so far.
struct slot_account {
  std::int64_t on_ms = 0;
  std::uint32_t energy_wh = 0;
  std::uint16_t expected = 0;
  std::uint16_t got = 0;
  bool on = false;
  bool missing = false;
  bool has_energy = false;
  bool after_gap = false;
  bool operator==(const slot_account&) const = default;
};

struct meter_baseline {
  std::uint64_t meter = 0;
  std::uint32_t counter_wh = 0;
  wall_at at{};
  slot_index slot;                     // the slot that was open when it was read
  bool operator==(const meter_baseline&) const = default;
};

// All that outlives the program: encoded by checkpoint.hpp.
struct aggregator_checkpoint {
  struct appliance {
    appliance_id id{};
    slot_account account;
    std::optional<meter_baseline> meter;
    bool operator==(const appliance&) const = default;
  };
  slot_index open;
  wall_at at{};
  bool uncertain = false;
  std::vector<appliance> appliances;   // <= wire::appliances_max
  bool operator==(const aggregator_checkpoint&) const = default;
};

class aggregator {
public:
  // Appliances that stay keep what the open slot knows; one that now means another device or rule loses its held state;
  // one that is gone is forgotten at once; one that is new was not seen in the slot before `at`.
  void configure(const wire::config& config, std::optional<wall_at> at);
  const std::vector<wire::watched_appliance>& appliances() const { return specs_; }

  // Before begin(): what the last run left, for the appliances that are configured when begin() comes.
  void restore(const aggregator_checkpoint& checkpoint);
  aggregator_checkpoint checkpoint() const;      // only while running

  bool running() const { return running_; }
  slot_index open_slot() const { return open_; }
  // The slot that a checkpoint or a run has open; slots before it have been made.
  std::optional<slot_index> open_slot_known() const;

  // Time becomes known. Closes what the last run left open if that slot is over, makes a gap of whole slots slept through.
  void begin(wall_at at, bool uncertain, aggregator_output& out);
  // Brings the axis to `to`; closes the open slot when it is over. Whole slots between are a gap for `reason`.
  void advance(wall_at to, wire::gap_reason reason, aggregator_output& out);
  // After advance(at). `index` as in appliances().
  void on_reading(wall_at at, std::size_t index, const appliance_reading& reading, aggregator_output& out);
  void on_missed(std::size_t index);
  // The calendar was found to be ahead: everything remembered moves by `by` (< 0); the open slot stays open.
  void shift(millis by);
  // The open slot was ahead: from now on `target` is open. `made` is what had been told of it, `moved` the energy of
  // slots that are told no longer. Both are taken into the account of `target`.
  void rewind(slot_index target, const wire::slot_closed* made, const std::vector<wire::appliance_slot>& moved);

  // All slots from now on (the open one too) are of uncertain time, or the later ones are certain.
  void set_time_uncertain(bool uncertain);
  void mark_open_slot_uncertain() { open_uncertain_ = true; }

private:
  struct state {
    slot_account account;
    wall_at accounted{};               // the account covers the open slot up to here
    bool held = false;                 // a reading stands
    bool held_on = false;
    wall_at held_since{};              // when it was taken
    std::optional<meter_baseline> meter;
  };
  void account_until(state& s, wall_at to) const;
  void open_at(slot_index slot);
  void close_open_slot(aggregator_output& out);
  void make_gap(slot_index first, std::int32_t count, wire::gap_reason reason, aggregator_output& out) const;
  void take_energy(wall_at at, std::size_t index, const appliance_reading& reading, aggregator_output& out);
  state fresh_state() const;

  std::vector<wire::watched_appliance> specs_;
  std::vector<state> states_;          // as specs_
  std::optional<aggregator_checkpoint> left_;  // what the last run left, until begin()
  millis gap_limit_{180'000};
  bool running_ = false;
  slot_index open_;
  bool open_uncertain_ = false;
  bool time_uncertain_ = false;
  wall_at now_{};                      // the axis
};

}  // namespace tomoshibi::firmware
