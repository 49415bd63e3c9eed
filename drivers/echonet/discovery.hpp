// When the home is searched: a multicast Get of the instance list (0xD6), which every node answers. At start, 15 s and 60 s
// later (nodes that were starting, answers that were lost), then every ten minutes for ever.
#pragma once

#include "drivers/echonet/limits.hpp"
#include "protocol/base/time.hpp"

#include <cstdint>

namespace tomoshibi::drivers::echonet {

class discovery {
public:
  void on_start(mono_time now) {
    started_at_ = now;
    due_ = now;
  }
  mono_time next_wake() const { return due_; }
  bool take_due(mono_time now) {
    if (now < due_) return false;
    switch (searches_++) {
      case 0: due_ = started_at_ + search_second; break;
      case 1: due_ = started_at_ + search_third; break;
      default: due_ = now + search_interval; break;
    }
    return true;
  }

private:
  mono_time started_at_{};
  mono_time due_ = never;
  std::uint64_t searches_ = 0;
};

}  // namespace tomoshibi::drivers::echonet
