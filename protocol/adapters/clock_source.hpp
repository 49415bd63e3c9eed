// Where a shell reads time from: the machine (system_clock_source) or a conductor (replay_clock, docs/adr/0002).
// Cores never see this; they are given the values.
#pragma once

#include "protocol/base/time.hpp"

namespace tomoshibi {

class clock_source {
public:
  virtual ~clock_source() = default;
  virtual mono_time now() const = 0;
  virtual mono_exact exact() const { return now(); }  // the same clock as now(), finer where the source is
  virtual wall_time wall() const = 0;  // synced: the kernel says that the clock is disciplined (adjtimex(2))
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class system_clock_source final : public clock_source {
public:
  mono_time now() const override;
  mono_exact exact() const override;
  wall_time wall() const override;
};

}  // namespace tomoshibi
