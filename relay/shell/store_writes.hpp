// One write of a batch as one or two statements. Every write is idempotent by its key; a fact about a home or gateway that
// the directory does not have (any more) changes nothing, so that an erased home leaves no trace through a late batch.
#pragma once

#include "relay/ports/store.hpp"
#include "relay/shell/day_cache.hpp"
#include "relay/shell/statement_cache.hpp"

namespace tomoshibi::relay {

// Within the caller's transaction. Does nothing if a mail of that key exists.
status queue_mail(statement_cache& statements, const mail& m);

// Within the caller's transaction.
status apply_batch(statement_cache& statements, day_cache& days, const write_batch& batch);

}  // namespace tomoshibi::relay
