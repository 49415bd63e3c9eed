// What every emergency_store must do, as one suite: call it from a TEST_CASE with a way to make an empty medium.
#pragma once

#include "firmware/ports/emergency_store.hpp"
#include "protocol/base/prng.hpp"

#include <functional>
#include <memory>

namespace tomoshibi::firmware {

// A place that keeps data (a file, a memory_emergency). Destroyed after every store that was opened on it.
class emergency_medium {
public:
  virtual ~emergency_medium() = default;
  // A store over what is there now. The suite destroys the former store before it opens the next: that is a restart.
  virtual std::unique_ptr<emergency_store> open() = 0;
};

using make_emergency_medium = std::function<std::unique_ptr<emergency_medium>()>;

// Uses Catch2 assertions and SECTIONs; to be called directly in the body of a TEST_CASE.
void check_emergency_store_contract(const make_emergency_medium& make);

// A press of this id with everything else drawn, names up to the longest.
press random_press(prng& random, press_id id);
// Everything that can be read back, as text.
std::string text_of(const emergency_state& state);

}  // namespace tomoshibi::firmware
