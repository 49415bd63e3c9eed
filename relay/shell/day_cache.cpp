#include "relay/shell/day_cache.hpp"

#include "relay/shell/day_row.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

slot_cell cell_of(const wire::slot_closed& slot, const wire::appliance_slot& a) {
  slot_cell c;
  c.present = true;
  c.state = a.state;
  c.time_uncertain = slot.time_uncertain;
  c.on_seconds = a.on_seconds;
  c.energy_wh = a.energy_wh;
  c.energy_after_gap = a.energy_after_gap;
  c.readings_expected = a.readings_expected;
  c.readings_got = a.readings_got;
  return c;
}

slot_cell cell_of(const wire::slot_gap& gap) {
  slot_cell c;
  c.present = true;
  c.state = slot_state::unknown;
  c.time_uncertain = gap.time_uncertain;
  return c;
}

}  // namespace

status day_cache::merge(home_id home, const wire::slot_closed& slot) {
  const auto here = known(home);
  if (!here) return std::unexpected(here.error());
  if (!*here) return {};
  for (const auto& a : slot.appliances)
    if (auto ok = put(home, a.appliance, slot.slot, cell_of(slot, a), false); !ok) return ok;
  return {};
}

status day_cache::merge(home_id home, const wire::slot_gap& gap) {
  const auto here = known(home);
  if (!here) return std::unexpected(here.error());
  if (!*here) return {};
  const slot_cell cell = cell_of(gap);
  for (appliance_id appliance : gap.appliances)
    for (std::uint32_t i = 0; i < gap.count; ++i)
      if (auto ok = put(home, appliance, gap.first_slot + static_cast<std::int32_t>(i), cell, true); !ok) return ok;
  return {};
}

result<bool> day_cache::known(home_id home) {
  if (const auto found = homes_.find(home); found != homes_.end()) return found->second;
  auto s = statements_->get("SELECT 1 FROM home WHERE id = ?1");
  if (!s) return std::unexpected(s.error());
  const auto there = (*s)->bind(1, static_cast<std::uint32_t>(home)).step();
  if (!there) return std::unexpected(there.error());
  homes_.emplace(home, *there);
  return *there;
}

result<day_cache::row*> day_cache::load(const key& k) {
  if (const auto found = rows_.find(k); found != rows_.end()) return found->second;
  if (rows_.size() >= rows_max)
    if (auto ok = flush(); !ok) return std::unexpected(ok.error());
  auto s = statements_->get("SELECT cells FROM day WHERE home = ?1 AND appliance = ?2 AND day = ?3");
  if (!s) return std::unexpected(s.error());
  const auto [home, appliance, day] = k;
  const auto there = (*s)->bind_all(static_cast<std::uint32_t>(home), static_cast<std::uint16_t>(appliance),
                                    static_cast<std::int32_t>(day)).step();
  if (!there) return std::unexpected(there.error());
  row& fresh = fresh_row(k);
  if (*there && !decode_day((*s)->blob(0), fresh.cells)) {
    fresh.cells = {};
    if (auto ok = put_aside(k); !ok) return std::unexpected(ok.error());
  }
  rows_.emplace(k, &fresh);
  return &fresh;
}

day_cache::row& day_cache::fresh_row(const key& k) {
  if (rows_.size() == pool_.size()) pool_.emplace_back();
  row& out = pool_[rows_.size()];
  out.what = k;
  out.cells = {};
  out.changed = false;
  return out;
}

std::size_t day_cache::key_hash::operator()(const key& k) const {
  const auto [home, appliance, day] = k;
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 / the golden ratio: spreads neighbours
  const auto place = std::uint64_t{static_cast<std::uint32_t>(home)} << 16 | static_cast<std::uint16_t>(appliance);
  return static_cast<std::size_t>((place * odd ^ static_cast<std::uint32_t>(day)) * odd);
}

void day_cache::begin() {
  homes_.clear();
  forget_rows();
}

void day_cache::forget_rows() {
  rows_.clear();
  order_.clear();
}

// A row that cannot be read must not stop the batch of every other home.
status day_cache::put_aside(const key& k) {
  const auto [home, appliance, day] = k;
  return statements_->run("INSERT OR REPLACE INTO day_broken (home, appliance, day, cells) "
                          "SELECT home, appliance, day, cells FROM day WHERE home = ?1 AND appliance = ?2 AND day = ?3",
                          static_cast<std::uint32_t>(home), static_cast<std::uint16_t>(appliance),
                          static_cast<std::int32_t>(day));
}

status day_cache::put(home_id home, appliance_id appliance, slot_index slot, const slot_cell& cell,
                      bool only_if_absent) {
  const utc_day day = day_of(slot);
  auto r = load({home, appliance, day});
  if (!r) return std::unexpected(r.error());
  slot_cell& stored = (*r)->cells[static_cast<std::size_t>(slot - first_slot_of(day))];
  if (only_if_absent ? stored.present : !replaces(stored, cell)) return {};
  stored = cell;
  (*r)->changed = true;
  return {};
}

status day_cache::flush() {
  for (const auto& [k, r] : rows_)
    if (r->changed) order_.push_back(r);
  std::ranges::sort(order_, {}, [](const row* r) -> const key& { return r->what; });
  for (const row* r : order_) {
    const auto [home, appliance, day] = r->what;
    if (auto ok = statements_->run("INSERT INTO day (home, appliance, day, cells) VALUES (?1, ?2, ?3, ?4) "
                                   "ON CONFLICT DO UPDATE SET cells = excluded.cells",
                                   static_cast<std::uint32_t>(home), static_cast<std::uint16_t>(appliance),
                                   static_cast<std::int32_t>(day), encode_day(r->cells));
        !ok)
      return ok;
  }
  forget_rows();
  return {};
}

}  // namespace tomoshibi::relay
