#include "firmware/core/catch_up.hpp"

#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

struct ahead_record {
  record_seq seq = 0;
  wire::record record;
  slot_index first;
};

// First slot told by the record at or after `present`, if it tells one.
std::optional<slot_index> first_told_ahead(const wire::record& record, slot_index present) {
  if (const auto* slot = std::get_if<wire::slot_closed>(&record.body)) {
    return slot->slot >= present ? std::optional{slot->slot} : std::nullopt;
  }
  if (const auto* gap = std::get_if<wire::slot_gap>(&record.body)) {
    const slot_index end = gap->first_slot + static_cast<std::int32_t>(gap->count);
    return end > present ? std::optional{std::max(gap->first_slot, present)} : std::nullopt;
  }
  return {};
}

result<std::vector<ahead_record>> find_ahead(slot_index present, outbox& log) {
  std::vector<ahead_record> out;
  constexpr std::size_t step = 256;
  record_seq from = log.oldest();
  for (;;) {
    const auto part = log.logged(from, step);
    if (!part) return std::unexpected(part.error());
    if (part->empty()) return out;
    for (const auto& logged : *part) {
      auto record = wire::decode_record(logged.data);
      if (!record) continue;
      if (const auto first = first_told_ahead(*record, present)) out.push_back({logged.seq, std::move(*record), *first});
    }
    from = part->back().seq + 1;
  }
}

// The record without what it says of `target` and later.
wire::record taken_back(const ahead_record& ahead, slot_index target) {
  wire::record out = ahead.record;
  if (auto* gap = std::get_if<wire::slot_gap>(&out.body); gap && gap->first_slot < target) {
    gap->count = static_cast<std::uint32_t>(target - gap->first_slot);
    return out;
  }
  out.body = wire::event{wire::event_kind::clock_stepped, 0};
  return out;
}

}  // namespace

result<bool> catch_up(slot_index present, outbox& log, aggregator& slots) {
  const auto ahead = find_ahead(present, log);
  if (!ahead) return std::unexpected(ahead.error());
  record_seq untold_from = log.maybe_received() + 1;
  slot_index target = slots.open_slot();
  for (const auto& record : *ahead) {
    if (record.seq >= untold_from) target = std::min(target, record.first);
  }
  if (target - present > catch_up_max) {
    hit(probe::catch_up_waited_enough);
    target = present;
    untold_from = 0;
  }
  if (target >= slots.open_slot()) {
    hit(probe::catch_up_waits);
    return false;
  }
  hit(probe::catch_up_rewrote);

  std::optional<wire::slot_closed> made;
  std::vector<wire::appliance_slot> moved;
  for (const auto& record : *ahead) {
    if (record.seq < untold_from) continue;  // all others tell of `target` or later: it is the first that they tell
    if (const auto* slot = std::get_if<wire::slot_closed>(&record.record.body)) {
      if (slot->slot == target) {
        made = *slot;
      } else {
        moved.insert(moved.end(), slot->appliances.begin(), slot->appliances.end());
      }
    }
    log.replace(record.seq, taken_back(record, target));
  }
  slots.rewind(target, made ? &*made : nullptr, moved);
  return true;
}

}  // namespace tomoshibi::firmware
