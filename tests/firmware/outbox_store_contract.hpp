// What every outbox_store must do, as one suite: call it from a TEST_CASE with a way to make an empty medium.
#pragma once

#include "firmware/ports/outbox_store.hpp"

#include <functional>
#include <memory>

namespace tomoshibi::firmware {

// A place that keeps data (a file, a memory_outbox). Destroyed after every store that was opened on it.
class outbox_medium {
public:
  virtual ~outbox_medium() = default;
  // A store over what is there now. The suite destroys the former store before it opens the next: that is a restart.
  virtual std::unique_ptr<outbox_store> open() = 0;
};

using make_outbox_medium = std::function<std::unique_ptr<outbox_medium>()>;

// Uses Catch2 assertions and SECTIONs; to be called directly in the body of a TEST_CASE.
void check_outbox_store_contract(const make_outbox_medium& make);

}  // namespace tomoshibi::firmware
