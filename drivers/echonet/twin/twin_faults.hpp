// What can be wrong with a device: every entry was seen on a real node or is a named fear of ours. A twin is given a list
// of these; each is active for from <= now < to.
#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <vector>

namespace tomoshibi::drivers::echonet::twin {

enum class fault_kind : std::uint8_t {
  silent,             // hears nothing, says nothing
  power_cut,          // the same; afterwards it starts anew: settings forgotten, instance list announced
  slow,               // answers come `amount` ms late
  lost,               // `per_mille` of what it says never arrives
  deaf,               // `per_mille` of what it is asked never arrives
  garbage,            // `per_mille` of its answers are random bytes
  cut_short,          // `per_mille` of its answers end somewhere in the middle
  duplicate,          // `per_mille` of its answers come twice
  wrong_tid,          // `per_mille` of its answers carry another TID
  twice_wrong_tid,    // each instance list comes twice, the second time with another TID
  short_answer,       // answers only the first `amount` properties of a request
  silent_on_many,     // no answer to a request of more than `amount` properties
  refusal_in_two,     // a Get it can serve in part is answered by 0x72 with the good values and by 0x52
  refuses_power,      // 0x84 and 0x85 are listed as readable and then refused
  no_value,           // power and energy are "no value"
  no_identity,        // 0x83 is refused
  zero_identity,      // 0x83 is all zero
  no_notice,          // it never announces anything
  empty_notification, // its 0xD5 has no value
  speaks_as_profile,  // announces device properties as coming from its node profile
  wrong_map_count,    // the count byte of its property maps is wrong
  meter_reset,        // at `from` the energy counter falls to zero
  meter_wrap,         // at `from` the energy counter jumps to `amount` Wh before its end
};

struct fault {
  fault_kind kind{};
  mono_time from{};
  mono_time to = never;
  std::uint32_t amount = 0;
  std::uint32_t per_mille = 1000;
};

class fault_plan {
public:
  void add(const fault& f) { faults_.push_back({f, false}); }
  bool empty() const { return faults_.empty(); }

  const fault* active(fault_kind kind, mono_time now) const {
    for (const entry& e : faults_) {
      if (e.what.kind == kind && e.what.from <= now && now < e.what.to) return &e.what;
    }
    return nullptr;
  }
  // The next fault of this kind whose moment has come, each once: its begin, or its end.
  enum class edge : std::uint8_t { begin, end };
  const fault* take_due(fault_kind kind, edge which, mono_time now) {
    for (entry& e : faults_) {
      if (e.what.kind == kind && !e.taken && at(e, which) <= now) {
        e.taken = true;
        return &e.what;
      }
    }
    return nullptr;
  }
  mono_time next(fault_kind kind, edge which) const {
    mono_time out = never;
    for (const entry& e : faults_) {
      if (e.what.kind == kind && !e.taken && at(e, which) < out) out = at(e, which);
    }
    return out;
  }

private:
  struct entry {
    fault what;
    bool taken = false;
  };
  static mono_time at(const entry& e, edge which) { return which == edge::begin ? e.what.from : e.what.to; }
  std::vector<entry> faults_;
};

}  // namespace tomoshibi::drivers::echonet::twin
