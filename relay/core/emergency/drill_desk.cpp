#include "relay/core/emergency/drill_desk.hpp"

#include <algorithm>

namespace tomoshibi::relay {

void drill_desk::on_start(desk_turn& t) {
  for (const auto& [request, d] : f_.rows.drills)
    ends_.insert({t.now + left_of(f_.limits.drill_length, d.asked, t.wall), request});
}

result<drill_row> drill_desk::begin(desk_turn& t, home_id home, lane_table& lanes) {
  if (f_.home(home) == nullptr) return fail(errc::not_found, "no such home");
  const auto& boxes = f_.world->by_home.gateways_of(home);
  if (boxes.empty()) return fail(errc::not_found, "this home has no gateway that is let in");
  // Nobody could answer it, and the panel would end with "not delivered".
  if (f_.account(home) == nullptr) return fail(errc::refused, f_.no_account(home));
  const auto standing = std::ranges::find_if(boxes, [&lanes](const auto& g) { return lanes.stands(g); });
  const gateway_id gateway = standing != boxes.end() ? *standing : boxes.front();
  for (const auto& [request, d] : f_.rows.drills)
    if (d.gateway == gateway) return fail(errc::refused, "a drill of this gateway is running; it ends by itself within ten minutes");
  drill_row d{.request = f_.name(), .home = home, .gateway = gateway, .asked = t.wall};
  f_.rows.put(d);
  ends_.insert({t.now + f_.limits.drill_length, d.request});
  log_.info("begun", {{"gw", gateway.text()}});
  lanes.send_to(t, gateway, wire::drill_request{.request = d.request});
  return d;
}

void drill_desk::on_lane_up(desk_turn& t, const gateway_id& gateway, lane_table& lanes) {
  for (const auto& [request, d] : f_.rows.drills)
    if (d.gateway == gateway && !d.press && !d.ended) lanes.send_to(t, gateway, wire::drill_request{.request = request});
}

void drill_desk::on_press(desk_turn&, const press_row& press) {
  const drill_row* d = press.request ? f_.rows.drills.find(*press.request) : nullptr;
  if (d == nullptr || d->gateway != press.gateway || d->press) return;
  drill_row answered = *d;
  answered.press = press.id;
  f_.rows.put(answered);
}

void drill_desk::on_accepted(desk_turn& t, const press_row& press) {
  const drill_row* d = press.request ? f_.rows.drills.find(*press.request) : nullptr;
  if (d != nullptr && d->press == press.id && !d->ended) end(t, *d, true);
}

void drill_desk::end(desk_turn& t, drill_row drill, bool answered) {
  std::erase_if(ends_, [&drill](const auto& e) { return e.second == drill.request; });
  drill.ended = t.wall;
  drill.answered = answered;
  f_.rows.put(drill);
  log_.info("ended", {{"gw", drill.gateway.text()}, {"answered", answered ? "yes" : "no"}});
  if (answered) return;
  emergency_facts facts{.kind = emergency_notice::drill_unanswered};
  facts.where.id = drill.home;
  facts.drill = drill;
  if (drill.press)
    if (const press_row* p = f_.rows.presses.find(*drill.press)) facts.press = *p;
  mails_.write(t, mail_readers::provider, drill.request, std::move(facts));
}

void drill_desk::on_wake(desk_turn& t) {
  while (!ends_.empty() && ends_.begin()->first <= t.now) {
    const auto request = ends_.begin()->second;
    ends_.erase(ends_.begin());
    if (const drill_row* d = f_.rows.drills.find(request); d != nullptr && !d->ended) end(t, *d, false);
  }
}

}  // namespace tomoshibi::relay
