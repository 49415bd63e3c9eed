// The outbox store in memory, for tests and the simulator: a medium that outlives the program, and the store over it.
//
// The medium plays the flash chip: a power cut is the end of the store (and of the gateway over it), and a new store
// over the same medium is the next start. Faults are counted in commits since the medium was made (the first is 1).
#pragma once

#include "firmware/ports/outbox_store.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace tomoshibi::firmware {

struct memory_outbox {
  explicit memory_outbox(std::uint64_t epoch_seed) : epoch{epoch_seed} {}

  // What is durable.
  outbox_epoch epoch;
  std::deque<stored_record> records;   // contiguous, ascending
  record_seq next = 1;
  std::optional<bytes> checkpoint;
  std::optional<bytes> config;
  bool recreated = false;              // told by the next load, once

  // What happens to it.
  std::uint64_t commits = 0;           // calls, failed ones too
  std::uint64_t fail_from = 0;         // commits fail_from .. fail_from + fail_count - 1 fail with storage_io
  std::uint64_t fail_count = 0;
  std::uint64_t loads_to_fail = 0;     // so many loads fail with storage_io
  enum class cut : std::uint8_t { before, after };
  std::uint64_t cut_at = 0;            // 0 = never; the power goes at this commit
  cut cut_when = cut::before;          // before: it is lost; after: it is durable, but nobody lives to hear it
  bool power_is_cut = false;           // every call fails until power_on()

  void power_on() {
    power_is_cut = false;
    cut_at = 0;
  }
  // The file turned out to be corrupt and was put aside: everything is gone, a new epoch begins.
  void recreate(std::uint64_t new_epoch);
};

class memory_outbox_store final : public outbox_store {
public:
  explicit memory_outbox_store(memory_outbox& medium) : medium_(medium) {}
  result<outbox_state> load() override;
  status commit(const outbox_batch& batch) override;
  result<std::vector<stored_record>> read(record_seq from, std::size_t count_max) override;

private:
  status check(const outbox_batch& batch) const;
  void apply(const outbox_batch& batch);
  memory_outbox& medium_;
};

}  // namespace tomoshibi::firmware
