#include "firmware/ports/memory_outbox_store.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

void memory_outbox::recreate(std::uint64_t new_epoch) {
  epoch = outbox_epoch{new_epoch};
  records.clear();
  next = 1;
  checkpoint.reset();
  config.reset();
  recreated = true;
}

result<outbox_state> memory_outbox_store::load() {
  if (medium_.power_is_cut) return fail(errc::storage_io, "power is cut");
  if (medium_.loads_to_fail > 0) {
    --medium_.loads_to_fail;
    return fail(errc::storage_io, "injected");
  }
  outbox_state state;
  state.epoch = medium_.epoch;
  state.next = medium_.next;
  state.oldest = medium_.records.empty() ? medium_.next : medium_.records.front().seq;
  state.checkpoint = medium_.checkpoint;
  state.config = medium_.config;
  state.recreated = medium_.recreated;
  medium_.recreated = false;
  return state;
}

status memory_outbox_store::check(const outbox_batch& batch) const {
  record_seq next = medium_.next;
  for (const auto& record : batch.append) {
    if (record.seq != next) return fail(errc::refused, "append does not follow the last record");
    ++next;
  }
  const record_seq oldest = medium_.records.empty() ? medium_.next : medium_.records.front().seq;
  for (const auto& record : batch.replace) {
    if (record.seq < oldest || record.seq >= next) return fail(errc::refused, "replace of a record not held");
  }
  return {};
}

void memory_outbox_store::apply(const outbox_batch& batch) {
  auto& records = medium_.records;
  for (const auto& record : batch.append) records.push_back(record);
  medium_.next += batch.append.size();
  for (const auto& record : batch.replace) {
    records[static_cast<std::size_t>(record.seq - records.front().seq)].data = record.data;
  }
  while (batch.trim_through && !records.empty() && records.front().seq <= *batch.trim_through) records.pop_front();
  if (batch.checkpoint) medium_.checkpoint = batch.checkpoint;
  if (batch.config) medium_.config = batch.config;
}

status memory_outbox_store::commit(const outbox_batch& batch) {
  if (medium_.power_is_cut) return fail(errc::storage_io, "power is cut");
  const std::uint64_t number = ++medium_.commits;
  if (number >= medium_.fail_from && number - medium_.fail_from < medium_.fail_count) {
    return fail(errc::storage_io, "injected");
  }
  if (auto ok = check(batch); !ok) return ok;
  const bool cut = number == medium_.cut_at;
  if (!cut || medium_.cut_when == memory_outbox::cut::after) apply(batch);
  if (!cut) return {};
  medium_.power_is_cut = true;
  return fail(errc::storage_io, "power is cut");
}

result<std::vector<stored_record>> memory_outbox_store::read(record_seq from, std::size_t count_max) {
  if (medium_.power_is_cut) return fail(errc::storage_io, "power is cut");
  std::vector<stored_record> out;
  const auto& records = medium_.records;
  if (records.empty()) return out;
  const record_seq first = std::max(from, records.front().seq);
  for (record_seq seq = first; seq < medium_.next && out.size() < count_max; ++seq) {
    out.push_back(records[static_cast<std::size_t>(seq - records.front().seq)]);
  }
  return out;
}

}  // namespace tomoshibi::firmware
