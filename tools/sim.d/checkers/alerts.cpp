#include "tools/sim.d/checkers/alerts.hpp"

#include <set>

namespace tomoshibi::sim {
namespace {

std::string describe(const relay::episode_key& k) {
  return "home " + std::to_string(static_cast<std::uint32_t>(k.home)) + " appliance " +
         std::to_string(static_cast<int>(k.appliance)) + " kind " + std::to_string(static_cast<int>(k.kind)) + " since " +
         std::to_string(k.since.value);
}

}  // namespace

void alerts_checker::on_committed(const relay::write_batch& batch) {
  for (const relay::write& w : batch) {
    if (const auto* o = std::get_if<relay::episode_open_write>(&w)) {
      if (o->what.key.kind != relay::episode_kind::unused) continue;
      seen& s = opened_[o->what.key];
      ++s.times;
      s.what = o->what;
    } else if (const auto* c = std::get_if<relay::episode_close_write>(&w)) {
      if (c->key.kind != relay::episode_kind::unused) continue;
      seen& s = opened_[c->key];
      s.closed = true;
      s.closed_by = c->closed_by;
    } else if (const auto* q = std::get_if<relay::mail_queue_write>(&w)) {
      ++queued_[q->what.key];
    }
  }
}

void alerts_checker::on_mail_accepted(const relay::mail& what, wall_at) { ++accepted_[what.key]; }

std::map<relay::episode_key, alerts_checker::due> alerts_checker::oracle(relay::store& stored, slot_index through,
                                                                         const ruled_appliance& rule,
                                                                         violations& all) const {
  std::map<relay::episode_key, due> dues;
  const std::int32_t needed = rule.quiet_days * slots_per_day;
  slot_index since = rule.watched_from + 1;
  std::int32_t off = 0;
  due* open = nullptr;
  std::optional<relay::day_cells> cells;
  relay::utc_day day{};
  for (slot_index s = since; s <= through; ++s) {
    if (!cells || relay::day_of(s) != day) {
      day = relay::day_of(s);
      auto read = stored.read_day(rule.home, rule.appliance, day);
      if (!read) {
        all.push_back("stored day cannot be read: " + read.error().detail);
        return dues;
      }
      cells = *read;
    }
    const auto& cell = (*cells)[static_cast<std::size_t>(s - relay::first_slot_of(day))];
    if (!cell.present || cell.state == slot_state::unknown) continue;
    if (cell.state == slot_state::on) {
      if (open) open->closed_by = s;
      open = nullptr;
      off = 0;
      since = s + 1;
    } else if (++off == needed) {
      const relay::episode_key key{rule.home, relay::episode_kind::unused, rule.appliance, since};
      open = &(dues[key] = due{s, std::nullopt});
    }
  }
  return dues;
}

void alerts_checker::compare(const relay::episode_key& key, const due& d, const ruled_appliance& rule,
                             violations& all) const {
  const auto it = opened_.find(key);
  if (it == opened_.end()) return all.push_back("alert missing: " + describe(key));
  const seen& s = it->second;
  if (s.times != 1) all.push_back("alert made " + std::to_string(s.times) + " times: " + describe(key));
  if (s.what.opened < end_of(d.opens_after)) all.push_back("alert too early: " + describe(key));
  if (s.closed != d.closed_by.has_value() || s.closed_by != d.closed_by)
    all.push_back("all-clear differs: " + describe(key));

  std::uint32_t opening = 0;
  std::uint32_t closing = 0;
  for (const auto& [mail, times] : accepted_) {
    if (mail.episode != key) continue;
    (mail.edge == relay::mail_edge::opened ? opening : closing) += static_cast<std::uint32_t>(times);
  }
  if (opening != rule.recipients) all.push_back("alert mails " + std::to_string(opening) + ": " + describe(key));
  if (closing != (d.closed_by ? rule.recipients : 0))
    all.push_back("all-clear mails " + std::to_string(closing) + ": " + describe(key));
}

violations alerts_checker::finish(relay::store& stored, slot_index through,
                                  const std::vector<ruled_appliance>& rules) const {
  violations all;
  std::set<relay::episode_key> expected;
  for (const ruled_appliance& rule : rules) {
    for (const auto& [key, d] : oracle(stored, through, rule, all)) {
      expected.insert(key);
      compare(key, d, rule, all);
    }
  }
  for (const auto& [key, s] : opened_)
    if (!expected.contains(key) && s.what.opened <= end_of(through)) all.push_back("alert not due: " + describe(key));
  for (const auto& [key, times] : accepted_)
    if (times != 1) all.push_back("mail accepted " + std::to_string(times) + " times: " + describe(key.episode));
  return all;
}

}  // namespace tomoshibi::sim
