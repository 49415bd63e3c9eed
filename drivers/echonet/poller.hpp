// When one object is read, and what silence means: one per watched object.
//
//   waiting --due--> asked --answer--> waiting (next cycle)
//                    asked --silence--> waiting (second round, a quarter of the cycle later)
//                    second round --silence--> missed, waiting (next cycle)
//   missed 3 cycles and unheard for 5 minutes --> silent --anything heard--> back
//
// Objects are spread over the cycle by a phase, so that a slow line is not asked everything at once. The first reading is
// taken as soon as the object is known.
#pragma once

#include "drivers/echonet/limits.hpp"
#include "protocol/base/time.hpp"

#include <cstdint>

namespace tomoshibi::drivers::echonet {

class poller {
public:
  // `phase` is 0 <= phase < interval: the second reading comes so much later than the first. A poller that is running
  // and keeps its interval is left alone.
  void begin(mono_time now, millis interval, millis phase);
  void stop() { due_ = never; }
  bool running() const { return due_ != never; }

  mono_time due() const { return due_; }
  void make_due(mono_time now) {
    if (running()) due_ = now;
  }
  bool in_second_round() const { return second_round_; }

  void on_reading(mono_time now);                // the poll gave an answer
  bool on_silence(mono_time now, bool is_final); // true: the cycle is missed; is_final: no second round
  void on_heard(mono_time now) { heard_at_ = now; }

  mono_time heard_at() const { return heard_at_; }
  bool silent() const { return silent_; }
  bool turned_silent(mono_time now);  // true once
  bool turned_back();                 // true once

private:
  void next_cycle(mono_time now);
  millis interval_{0};
  mono_time due_ = never;
  mono_time cycle_at_{};  // when the present cycle was to begin
  mono_time heard_at_{};
  std::uint8_t missed_ = 0;
  bool second_round_ = false;
  bool silent_ = false;
};

}  // namespace tomoshibi::drivers::echonet
