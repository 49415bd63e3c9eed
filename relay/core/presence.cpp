#include "relay/core/presence.hpp"

#include <algorithm>

namespace tomoshibi::relay {

void presence::add(turn& t, const gateway_id& gateway) {
  if (!gateways_.try_emplace(gateway).second) return;
  waiting_.touch(gateway, t.now);
}

void presence::on_start(turn& t, const directory& known, const std::vector<gateway_state>& stored,
                        std::optional<wall_at> alive) {
  for (const auto& [id, g] : known.gateways)
    if (!g.revoked) add(t, id);
  for (const auto& s : stored) {
    const auto found = gateways_.find(s.id);
    if (found == gateways_.end()) continue;
    entry& e = found->second;
    e.stored = s.last_line;
    e.heard = s.heard.value_or(s.line_since);
    if (e.stored == line::up && alive) e.heard = std::max(e.heard, *alive);
    // A clock that ran ahead before the restart must not make a line lost in the future.
    e.heard = std::min(e.heard, t.wall);
  }
}

void presence::on_directory(turn& t, const directory& known) {
  std::vector<gateway_id> gone;
  for (const auto& [id, e] : gateways_) {
    const auto found = known.gateways.find(id);
    if (found == known.gateways.end() || found->second.revoked) gone.push_back(id);
  }
  for (const auto& id : gone) {
    up_ -= gateways_.at(id).state == judged::up;
    down_ -= gateways_.at(id).state == judged::down;
    waiting_.erase(id);
    gateways_.erase(id);
  }
  for (const auto& [id, g] : known.gateways)
    if (!g.revoked) add(t, id);
}

void presence::on_heard(turn& t, const gateway_id& gateway) {
  const auto found = gateways_.find(gateway);
  if (found == gateways_.end()) return;
  entry& e = found->second;
  e.heard = t.wall;
  waiting_.touch(gateway, t.now);
  if (e.state != judged::up) judge(t, gateway, e, judged::up);
  if (t.now - e.seen_stored >= limits_.seen_every) store_seen(t, gateway, e);
}

void presence::on_hello(turn& t, const gateway_id& gateway, const std::string& firmware_version,
                        std::uint32_t config_version) {
  const auto found = gateways_.find(gateway);
  if (found == gateways_.end()) return;
  found->second.firmware_version = firmware_version;
  found->second.config_version = config_version;
  found->second.heard = t.wall;
  store_seen(t, gateway, found->second);
}

void presence::on_config_version(turn& t, const gateway_id& gateway, std::uint32_t config_version) {
  const auto found = gateways_.find(gateway);
  if (found == gateways_.end()) return;
  found->second.config_version = config_version;
  found->second.heard = t.wall;
  store_seen(t, gateway, found->second);
}

void presence::on_wake(turn& t) {
  while (const auto id = waiting_.overdue(t.now, limits_.down_after)) {
    const gateway_id gateway = *id;
    waiting_.erase(gateway);
    judge(t, gateway, gateways_.at(gateway), judged::down);
  }
}

// A change is stored; a state that the store already has (the relay only restarted) is not.
void presence::judge(turn& t, const gateway_id& gateway, entry& e, judged now) {
  up_ += static_cast<std::size_t>(now == judged::up) - static_cast<std::size_t>(e.state == judged::up);
  down_ += static_cast<std::size_t>(now == judged::down) - static_cast<std::size_t>(e.state == judged::down);
  e.state = now;
  const line state = now == judged::up ? line::up : line::down;
  if (e.stored == state) return;
  e.stored = state;
  if (state == line::down) {
    ++count_.lines_down;
    log_.warning("down", {{"gw", gateway.text()}});
    if (e.seen_stored != mono_time{}) store_seen(t, gateway, e);
  } else {
    ++count_.lines_up;
    log_.info("up", {{"gw", gateway.text()}});
  }
  commits_.add(line_write{.gateway = gateway, .state = state, .since = e.heard, .known = t.wall});
}

void presence::store_seen(turn& t, const gateway_id& gateway, entry& e) {
  e.seen_stored = t.now;
  commits_.add(seen_write{.gateway = gateway, .heard = e.heard, .firmware_version = e.firmware_version,
                          .config_version = e.config_version});
}

void presence::store_all_seen(turn& t) {
  for (auto& [id, e] : gateways_)
    if (e.state == judged::up) store_seen(t, id, e);
}

bool presence::up(const gateway_id& gateway) const {
  const auto found = gateways_.find(gateway);
  return found != gateways_.end() && found->second.state == judged::up;
}

bool presence::down(const gateway_id& gateway) const {
  const auto found = gateways_.find(gateway);
  return found != gateways_.end() && found->second.state == judged::down;
}

}  // namespace tomoshibi::relay
