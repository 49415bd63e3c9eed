// Where the gateway keeps what it must not lose: the log of records not yet acknowledged, and the aggregator's checkpoint.
//
// Synchronous. commit() is one transaction: after a power cut at any instant either all of it or none of it is there.
// It takes append, replace and trim in this order; an append that does not follow the last record, or a replace of a
// record not held, is `refused`. After a failed commit nothing of it has been done.
// One contract test suite (tests/firmware/outbox_store_contract.cpp) runs against every implementation.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/result.hpp"

#include <optional>
#include <vector>

namespace tomoshibi::firmware {

struct stored_record {
  record_seq seq = 0;
  bytes data;  // wire::encode_record
};

// What one turn of the gateway changes, together. Parts that are absent stay as they are.
struct outbox_batch {
  std::vector<stored_record> append;          // ascending, following the last one
  std::optional<record_seq> trim_through;     // acknowledged: forget these and older
  std::vector<stored_record> replace;         // rewrite held records in place (a slot made for a time that proved to
                                              // lie in the future becomes an event), so that sequences stay contiguous
  std::optional<bytes> checkpoint;            // aggregator state (core-defined, versioned)
  std::optional<bytes> config;                // last configuration from the relay (wire::config payload)
};

struct outbox_state {
  outbox_epoch epoch{};
  record_seq oldest = 1;                      // of those held; == next when empty
  record_seq next = 1;                        // continues after trimming, also over restarts
  std::optional<bytes> checkpoint;
  std::optional<bytes> config;
  bool recreated = false;                     // the former file was corrupt and has been put aside
};

class outbox_store {
public:
  virtual ~outbox_store() = default;
  virtual result<outbox_state> load() = 0;
  virtual status commit(const outbox_batch& batch) = 0;
  // Up to `count_max` records from `from` on, ascending.
  virtual result<std::vector<stored_record>> read(record_seq from, std::size_t count_max) = 0;
};

}  // namespace tomoshibi::firmware
