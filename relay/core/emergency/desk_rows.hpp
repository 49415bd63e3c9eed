// All rows of the desk that are not over. What is put here goes into the book with the next commit(), in one transaction; a
// commit that fails leaves everything to the next one, so what waits is bounded by the rows and not by the changes.
#pragma once

#include "relay/core/emergency/row_set.hpp"

#include <tuple>

namespace tomoshibi::relay {

using trouble_key = std::tuple<gateway_id, trouble_kind, std::string, wall_at>;
using alert_key = std::tuple<home_id, appliance_id, std::int32_t>;

class desk_rows {
public:
  row_set<press_id, press_row> presses;
  row_set<guard_event_id, guard_event_row> events;
  row_set<home_id, watch_row> watches;
  row_set<trouble_key, trouble_row> troubles;
  row_set<alert_key, alert_row> alerts;
  row_set<dispatch_id, dispatch_row> dispatches;
  row_set<std::uint64_t, drill_row> drills;
  row_set<emergency_mail_key, emergency_mail_row> mails;

  void put(press_row r) { presses.put(r.id, std::move(r)); }
  void put(guard_event_row r) { events.put(r.id, std::move(r)); }
  void put(watch_row r) { watches.put(r.home, std::move(r)); }
  void put(trouble_row r) {
    const auto key = key_of(r);
    troubles.put(key, std::move(r));
  }
  void put(alert_row r) { alerts.put({r.home, r.appliance, r.since}, std::move(r)); }
  void put(dispatch_row r) { dispatches.put(r.id, std::move(r)); }
  void put(drill_row r) { drills.put(r.request, std::move(r)); }
  void put(emergency_mail_row r) { mails.put(r.key, std::move(r)); }

  struct durable {
    std::vector<press_row> presses;
    std::vector<guard_event_row> events;
    std::vector<emergency_mail_row> mails;
  };
  void load(const emergency_state& s);
  bool dirty() const;
  result<durable> commit(emergency_book& book);

  static trouble_key key_of(const trouble_row& r) { return {r.gateway, r.kind, r.button, r.since}; }
};

}  // namespace tomoshibi::relay
