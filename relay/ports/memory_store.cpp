#include "relay/ports/memory_store.hpp"

#include <algorithm>
#include <limits>

namespace tomoshibi::relay {
namespace {

enum flag : std::uint8_t { time_uncertain = 1, has_energy = 2, energy_after_gap = 4 };

}  // namespace

memory_store::packed_cell memory_store::pack(const slot_cell& c) {
  if (!c.present) return {};
  packed_cell p;
  p.state = static_cast<std::uint8_t>(c.state);
  p.energy_wh = c.energy_wh.value_or(0);
  p.on_seconds = c.on_seconds;
  p.readings_expected = c.readings_expected;
  p.readings_got = c.readings_got;
  p.flags = static_cast<std::uint8_t>((c.time_uncertain ? time_uncertain : 0) | (c.energy_wh ? has_energy : 0) |
                                      (c.energy_after_gap ? energy_after_gap : 0));
  return p;
}

slot_cell memory_store::unpack(const packed_cell& p) {
  slot_cell c;
  if (p.state == 0) return c;
  c.present = true;
  c.state = static_cast<slot_state>(p.state);
  c.time_uncertain = p.flags & time_uncertain;
  if (p.flags & has_energy) c.energy_wh = p.energy_wh;
  c.energy_after_gap = p.flags & energy_after_gap;
  c.on_seconds = p.on_seconds;
  c.readings_expected = p.readings_expected;
  c.readings_got = p.readings_got;
  return c;
}

// Days of the protocol's slots (up to the year 2270) fit 17 bits; appliances take 16, homes the rest.
memory_store::place memory_store::place_of(home_id home, appliance_id appliance, utc_day day) {
  return (static_cast<place>(home) << 33) | (static_cast<place>(appliance) << 17) |
         (static_cast<place>(static_cast<std::uint32_t>(day)) & 0x1ffff);
}

memory_store::packed_cell& memory_store::cell_at(home_id home, appliance_id appliance, slot_index slot) {
  const utc_day day = day_of(slot);
  auto& held = days_[place_of(home, appliance, day)];
  if (!held) {
    held = std::make_unique<packed_day>();
    auto [newest, fresh] = newest_.try_emplace({home, appliance}, day);
    newest->second = std::max(newest->second, day);
  }
  return (*held)[static_cast<std::size_t>(slot - first_slot_of(day))];
}

// ---- reads

result<std::vector<gateway_state>> memory_store::load_gateways() {
  std::vector<gateway_state> out;
  for (const auto& [id, g] : directory_.gateways) out.push_back(gateway(id));
  return out;
}

result<std::vector<device_state>> memory_store::load_devices() {
  if (fail_loads_) return fail(errc::storage_io, "told to fail");
  std::vector<device_state> out;
  for (const auto& [key, state] : devices_) out.push_back(state);
  return out;
}

result<std::vector<recount_mark>> memory_store::load_recounts() {
  if (fail_loads_) return fail(errc::storage_io, "told to fail");
  std::vector<recount_mark> out;
  for (const auto& [of, from] : recounts_) out.push_back({of.first, of.second, from});
  return out;
}

result<std::vector<episode>> memory_store::load_open_episodes() {
  std::vector<episode> out;
  for (const auto& key : open_) out.push_back(episodes_.at(key));
  return out;
}

result<std::vector<mail>> memory_store::load_queued_mails() {
  std::vector<mail> out;
  for (const auto& key : queued_) out.push_back(mails_.at(key));
  return out;
}

bool memory_store::read_fails() {
  if (fail_reads_ == 0) return false;
  if (good_reads_ > 0) return --good_reads_, false;
  --fail_reads_;
  return true;
}

result<std::optional<episode>> memory_store::find_episode(const episode_key& key) {
  if (read_fails()) return fail(errc::storage_io, "told to fail");
  const auto found = episodes_.find(key);
  return found == episodes_.end() ? std::optional<episode>{} : found->second;
}

result<std::vector<contact_id>> memory_store::told(const episode_key& key) {
  std::vector<contact_id> out;
  for (auto m = mails_.lower_bound({key, mail_edge::opened, contact_id{}}); m != mails_.end(); ++m) {
    if (m->first.episode != key || m->first.edge != mail_edge::opened) break;
    out.push_back(m->first.to);
  }
  return out;
}

result<day_cells> memory_store::read_day(home_id home, appliance_id appliance, utc_day day) {
  ++days_read_;
  if (read_fails()) return fail(errc::storage_io, "told to fail");
  day_cells out;
  const auto held = days_.find(place_of(home, appliance, day));
  if (held != days_.end()) std::transform(held->second->begin(), held->second->end(), out.begin(), unpack);
  return out;
}

result<std::optional<utc_day>> memory_store::newest_day(home_id home, appliance_id appliance) {
  if (fail_loads_) return fail(errc::storage_io, "told to fail");
  const auto found = newest_.find({home, appliance});
  return found == newest_.end() ? std::optional<utc_day>{} : found->second;
}

// ---- writes

void memory_store::fail_commits(std::uint32_t count, error with) {
  fail_count_ = count;
  fail_with_ = std::move(with);
}

status memory_store::commit(const write_batch& batch) {
  if (fail_count_ > 0) {
    --fail_count_;
    return std::unexpected(fail_with_);
  }
  ++commits_;
  for (const write& w : batch) std::visit([this](const auto& one) { apply(one); }, w);
  return {};
}

gateway_state& memory_store::gateway(const gateway_id& id) {
  auto& state = gateways_[id];
  state.id = id;
  return state;
}

void memory_store::apply(const slots_write& w) {
  if (!known(w.home)) return;
  for (const auto& a : w.slot.appliances) {
    packed_cell& held = cell_at(w.home, a.appliance, w.slot.slot);
    const slot_cell arrived = cell_from(w.slot, a);
    if (replaces(unpack(held), arrived)) held = pack(arrived);
  }
}

void memory_store::apply(const gap_write& w) {
  if (!known(w.home)) return;
  const packed_cell unknown = pack(cell_from(w.gap));
  for (appliance_id a : w.gap.appliances)
    for (std::uint32_t i = 0; i < w.gap.count; ++i) {
      packed_cell& held = cell_at(w.home, a, w.gap.first_slot + static_cast<std::int32_t>(i));
      if (held.state == 0) held = unknown;
    }
}

void memory_store::apply(const progress_write& w) {
  if (!known(w.gateway)) return;
  auto& state = gateway(w.gateway);
  state.acked = state.epoch == w.epoch ? std::max(state.acked, w.acked) : w.acked;
  state.epoch = w.epoch;
}

void memory_store::apply(const line_write& w) {
  if (!known(w.gateway)) return;
  lines_[{w.gateway, w.since}] = w;
  auto& state = gateway(w.gateway);
  if (w.since < state.line_since) return;
  state.last_line = w.state;
  state.line_since = w.since;
}

void memory_store::apply(const seen_write& w) {
  if (!known(w.gateway)) return;
  seen_[w.gateway] = w;
  gateway(w.gateway).heard = w.heard;
}

void memory_store::apply(const device_write& w) {
  if (!known(w.home)) return;
  auto& state = devices_[{w.home, w.report.device}];
  state.home = w.home;
  state.device = w.report.device;
  if (!state.faulty) state.appliance = w.report.appliance;  // a fault stands where it was told
  state.silent = w.report.change == wire::device_change::silent;
  state.since = to_ms(w.report.since) != 0 ? w.report.since : w.at;
}

void memory_store::apply(const fault_write& w) {
  if (!known(w.home)) return;
  auto& state = devices_[{w.home, w.fault.device}];
  state.home = w.home;
  state.device = w.fault.device;
  state.appliance = w.fault.appliance;
  if (state.faulty || w.fault.faulty || state.since == wall_at{}) state.since = w.at;  // no fault is no news
  state.faulty = w.fault.faulty;
}

void memory_store::apply(const event_write& w) {
  if (known(w.gateway)) events_.try_emplace({w.gateway, w.epoch, w.seq}, w);
}

void memory_store::apply(const episode_open_write& w) {
  if (!known(w.what.key.home)) return;
  const bool fresh = episodes_.try_emplace(w.what.key, w.what).second;
  if (fresh && !w.what.closed) open_.insert(w.what.key);
}

void memory_store::apply(const episode_close_write& w) {
  if (open_.erase(w.key) == 0) return;
  episode& e = episodes_.at(w.key);
  e.closed = w.closed;
  e.closed_by = w.closed_by;
  e.cancelled = w.cancelled;
}

void memory_store::apply(const mail_queue_write& w) {
  const home_id home = w.what.key.episode.home;
  if (home != home_id{} && !known(home)) return;  // home 0: a test mail to the provider's own contact
  const bool fresh = mails_.try_emplace(w.what.key, w.what).second;
  if (fresh && w.what.state == mail_state::queued) queued_.insert(w.what.key);
}

void memory_store::apply(const mail_result_write& w) {
  const auto found = mails_.find(w.key);
  if (found == mails_.end() || found->second.state == mail_state::sent) return;
  mail& m = found->second;
  m.state = w.state;
  m.attempts = w.attempts;
  m.not_before = w.not_before;
  m.last_error = w.last_error;
  if (m.state == mail_state::queued) queued_.insert(w.key);
  else queued_.erase(w.key);
}

void memory_store::apply(const recount_write& w) {
  if (!w.from) recounts_.erase({w.home, w.appliance});
  else if (known(w.home)) recounts_[{w.home, w.appliance}] = *w.from;
}

void memory_store::apply(const alive_write& w) { alive_ = w.at; }

}  // namespace tomoshibi::relay
