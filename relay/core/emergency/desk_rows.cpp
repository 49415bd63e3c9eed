#include "relay/core/emergency/desk_rows.hpp"

namespace tomoshibi::relay {

void desk_rows::load(const emergency_state& s) {
  for (const auto& r : s.presses) presses.loaded(r.id, r);
  for (const auto& r : s.events) events.loaded(r.id, r);
  for (const auto& r : s.watches) watches.loaded(r.home, r);
  for (const auto& r : s.troubles) troubles.loaded(key_of(r), r);
  for (const auto& r : s.alerts) alerts.loaded({r.home, r.appliance, r.since}, r);
  for (const auto& r : s.dispatches) dispatches.loaded(r.id, r);
  for (const auto& r : s.drills) drills.loaded(r.request, r);
  for (const auto& r : s.mails) mails.loaded(r.key, r);
}

bool desk_rows::dirty() const {
  return presses.dirty() || events.dirty() || watches.dirty() || troubles.dirty() || alerts.dirty() || dispatches.dirty() ||
         drills.dirty() || mails.dirty();
}

result<desk_rows::durable> desk_rows::commit(emergency_book& book) {
  emergency_batch batch;
  presses.collect(batch);
  events.collect(batch);
  watches.collect(batch);
  troubles.collect(batch);
  alerts.collect(batch);
  dispatches.collect(batch);
  drills.collect(batch);
  mails.collect(batch);
  if (auto done = book.commit(batch); !done) return std::unexpected(done.error());
  durable out;
  out.presses = presses.committed([](const press_row& r) { return r.closed.has_value(); });
  out.events = events.committed([](const guard_event_row& r) { return r.state != guard_event_state::waiting; });
  out.mails = mails.committed([](const emergency_mail_row& r) { return r.state != emergency_mail_state::queued; });
  (void)watches.committed([](const watch_row&) { return false; });
  (void)troubles.committed([](const trouble_row& r) { return r.ended.has_value(); });
  (void)alerts.committed([](const alert_row& r) { return r.ended.has_value(); });
  (void)dispatches.committed([](const dispatch_row& r) { return r.accepted.has_value(); });
  (void)drills.committed([](const drill_row& r) { return r.ended.has_value(); });
  return out;
}

}  // namespace tomoshibi::relay
