#include "relay/core/ingest.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

constexpr millis future_told_every = 1h;
constexpr millis gap_window = 1min;

bool has(std::span<const appliance_id> known, appliance_id a) { return std::ranges::binary_search(known, a); }

// When the record was made, or now if the gateway did not know the time.
wall_at made_or_now(const turn& t, const wire::record& r) { return to_ms(r.made) != 0 ? r.made : t.wall; }

}  // namespace

void ingest::on_start(const turn& t, const std::vector<gateway_state>& stored, std::optional<wall_at> alive) {
  horizon_.on_start(t.now, alive);
  for (const auto& g : stored) gateways_[g.id] = {.epoch = g.epoch, .received = g.acked, .committed = g.acked};
}

record_seq ingest::on_hello(const gateway_id& gateway, const wire::hello& h) {
  progress& p = gateways_[gateway];
  put_off_.erase(gateway);
  if (p.epoch != h.epoch) {
    if (p.received != 0) hit(probe::epoch_new);
    p.epoch = h.epoch;
    p.received = p.committed = 0;
    p.outdated = p.on_the_way;
  }
  if (h.next_seq <= p.received) {
    log_.warning("sequence_went_back", {{"gw", gateway.text()}, {"seq", h.next_seq}, {"had", p.received}});
    p.received = p.committed = std::min(p.committed, h.next_seq - 1);
    p.outdated = p.on_the_way;
  }
  if (h.oldest_seq > p.received + 1) {
    const record_seq lost = h.oldest_seq - p.received - 1;
    if (p.received != 0) {
      // In a new epoch, or for a relay that starts anew, older records are somebody else's history, not a loss.
      count_.records_lost += lost;
      log_.warning("records_lost", {{"gw", gateway.text()}, {"count", lost}});
    }
    if (p.received == p.committed) p.committed = h.oldest_seq - 1;  // otherwise the commit on its way will tell
    p.received = h.oldest_seq - 1;
  }
  return p.committed;
}

std::optional<refusal> ingest::take(turn& t, const gateway_id& gateway, wire::records&& r,
                                    const known_world& known) {
  const auto found = known.all.gateways.find(gateway);
  if (found == known.all.gateways.end()) return refusal{close_reason::unknown_gateway, "no gateway of this name"};
  if (put_off_.contains(gateway)) return std::nullopt;  // it sends all of this again
  const home_id home = found->second.home;
  progress& p = gateways_[gateway];
  const place where{gateway, home, known.by_home.appliances_of(home), p};
  if (r.first_seq > p.received + 1)
    return refusal{close_reason::malformed, "sequence " + std::to_string(r.first_seq) + " after " +
                                                std::to_string(p.received)};
  const record_seq last = r.first_seq + r.items.size() - 1;
  if (last <= p.received) {
    hit(probe::records_known);
    count_.records_known += r.items.size();
    return std::nullopt;
  }
  if (last - p.committed > limits_.gateway_records_max || commits_.full())
    return refusal{close_reason::overload, "too many records wait to be stored"};

  // What comes before a gap too many is taken, so that a backlog of long gaps gets on by some each minute.
  std::optional<refusal> stopped;
  record_seq seq = r.first_seq;
  for (wire::record& one : r.items) {
    if (seq > p.received) {
      if (const auto slot = of_the_future(t, one)) {
        put_off(t, gateway, *slot);
        break;
      }
      if (std::holds_alternative<wire::slot_gap>(one.body) && gaps_spent(t, p)) {
        stopped = refusal{close_reason::overload, "too many slots of gaps a minute"};
        break;
      }
      ++count_.records_in;
      write(t, where, seq, std::move(one));
    } else {
      hit(probe::records_known);
      ++count_.records_known;
    }
    ++seq;
  }
  if (seq - 1 > p.received) {
    p.received = seq - 1;
    commits_.add(progress_write{.gateway = gateway, .epoch = p.epoch, .acked = p.received});
    ++p.on_the_way;
    rules_.on_facts_end(t, home);
  }
  return stopped;
}

void ingest::write(turn& t, const place& where, record_seq seq, wire::record&& r) {
  const wall_at at = made_or_now(t, r);
  if (auto* slot = std::get_if<wire::slot_closed>(&r.body)) {
    write_slot(t, where, std::move(*slot));
  } else if (auto* gap = std::get_if<wire::slot_gap>(&r.body)) {
    write_gap(t, where, std::move(*gap));
  } else if (const auto* device = std::get_if<wire::device_report>(&r.body)) {
    commits_.add(device_write{where.home, *device, at});
    rules_.on_device(t, where.home, *device);
  } else if (const auto* fault = std::get_if<wire::device_fault>(&r.body)) {
    commits_.add(fault_write{where.home, *fault, at});
    rules_.on_fault(t, where.home, *fault, at);
  } else if (const auto* event = std::get_if<wire::event>(&r.body)) {
    commits_.add(event_write{where.gateway, where.at.epoch, seq, *event, at});
  }
}

void ingest::write_slot(turn& t, const place& where, wire::slot_closed&& slot) {
  const auto foreign = std::erase_if(slot.appliances, [&where](const auto& a) { return !has(where.appliances, a.appliance); });
  count_.records_foreign += foreign != 0;
  if (slot.appliances.empty()) return;
  ++count_.slots_stored;
  rules_.on_slot(t, where.home, slot);
  commits_.add(slots_write{where.home, std::move(slot)});
}

std::optional<slot_index> ingest::of_the_future(const turn& t, const wire::record& r) {
  const slot_index newest = slot_of(horizon_.at(t.now, t.wall)) + limits_.future_slots_max;
  if (const auto* slot = std::get_if<wire::slot_closed>(&r.body); slot && slot->slot > newest) return slot->slot;
  const auto* gap = std::get_if<wire::slot_gap>(&r.body);
  if (!gap || gap->count == 0) return std::nullopt;
  const std::int64_t last = std::int64_t{gap->first_slot.value} + gap->count - 1;
  return last > newest.value ? std::optional{std::max(gap->first_slot, newest + 1)} : std::nullopt;
}

void ingest::put_off(turn& t, const gateway_id& gateway, slot_index slot) {
  hit(probe::slot_future);
  ++count_.slots_future;
  put_off_.touch(gateway, t.now);
  progress& p = gateways_[gateway];
  if (t.wall - p.future_told < future_told_every && t.wall >= p.future_told) return;
  p.future_told = t.wall;
  log_.warning("slot_of_the_future", {{"gw", gateway.text()}, {"starts_ms", to_ms(start_of(slot))}});
}

std::optional<gateway_id> ingest::take_put_off(mono_time now) {
  auto gateway = put_off_.overdue(now, limits_.future_wait);
  if (gateway) put_off_.erase(*gateway);
  return gateway;
}

// One gap of any length is always taken: the count is looked at before it, not behind it.
bool ingest::gaps_spent(const turn& t, progress& p) const {
  if (t.now - p.gap_window_from >= gap_window) {
    p.gap_window_from = t.now;
    p.gap_cells = 0;
  }
  return p.gap_cells >= limits_.gap_cells_per_min;
}

void ingest::write_gap(turn& t, const place& where, wire::slot_gap&& gap) {
  const auto foreign = std::erase_if(gap.appliances, [&where](appliance_id a) { return !has(where.appliances, a); });
  count_.records_foreign += foreign != 0;
  if (gap.count == 0 || gap.appliances.empty()) return;
  where.at.gap_cells += std::uint64_t{gap.count} * gap.appliances.size();
  count_.slots_stored += gap.count;
  rules_.on_gap(t, where.home, gap);
  commits_.add(gap_write{where.home, std::move(gap)});
}

std::optional<record_seq> ingest::on_committed(const progress_write& done) {
  const auto found = gateways_.find(done.gateway);
  if (found == gateways_.end() || !TOMO_CHECK(found->second.on_the_way != 0)) return std::nullopt;
  progress& p = found->second;
  --p.on_the_way;
  if (p.outdated != 0) {
    --p.outdated;
    return std::nullopt;
  }
  p.committed = std::max(p.committed, done.acked);
  return p.committed;
}

void ingest::forget_unknown(const directory& known) {
  for (auto it = gateways_.begin(); it != gateways_.end();) {
    progress& p = it->second;
    if (known.gateways.contains(it->first)) {
      ++it;
    } else if (p.on_the_way == 0) {
      it = gateways_.erase(it);
    } else {  // one of the same name may be registered before its commits have ended
      p = {.on_the_way = p.on_the_way, .outdated = p.on_the_way};
      ++it;
    }
  }
}

}  // namespace tomoshibi::relay
