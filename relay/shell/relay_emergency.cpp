// What the daemon tells its emergency part.
#include "relay/shell/relay_daemon.hpp"

namespace tomoshibi::relay {
result<emergency_keys> relay_daemon::emergency_keys_of(const relay_config& c) const {
  const auto& d = c.device;
  auto identity = load_tls_identity({.certificate = d.certificate, .key = d.key, .ca = d.ca, .table = "device"});
  if (!identity) return std::unexpected{identity.error()};
  return emergency_keys{std::move(*identity), *ticket_keys_.keys()};
}

result<std::optional<guard_link_settings>> relay_daemon::guard_of(const relay_config& c) const {
  if (c.guard.receivers.empty()) return std::nullopt;
  auto settings = read_guard_settings(c.guard, [&loop = setup_.loop]() -> std::optional<wall_at> {
    if (loop.replayed()) return std::nullopt;
    return loop.wall().at;
  });
  if (!settings) return std::unexpected{settings.error()};
  settings->sender.null_account = c.emergency.line_account;
  if (c.emergency.line_account.empty()) settings->sender.null_interval = millis{0};
  return std::optional{std::move(*settings)};
}

emergency_mail relay_daemon::mail_of(const relay_config& c, std::optional<smtp_options> server) {
  return {std::move(server), c.mail.from, c.mail.from_name};
}

status relay_daemon::open_emergency() {
  if (setup_.presses == nullptr) return {};
  auto known = setup_.memory.load_directory();
  if (!known) return std::unexpected{known.error()};
  auto keys = emergency_keys_of(setup_.config);
  if (!keys) return std::unexpected{keys.error()};
  auto guard = guard_of(setup_.config);
  if (!guard) return std::unexpected{guard.error()};
  auto mail = read_mail(setup_.config.mail);
  if (!mail) return std::unexpected{mail.error()};
  if (!*guard) log_.warning("no_guard_centre", {{"detail", "guard.receivers is empty: presses are told to contacts only"}});
  const auto& c = setup_.config.emergency;
  emergency_ = std::make_unique<emergency_service>(emergency_service_setup{
      .main = setup_.loop, .log = setup_.log, .book = *setup_.presses, .listen = {c.listen, c.port}, .lanes_max = c.connections_max,
      .world = std::make_shared<const known_world>(std::move(*known)), .keys = std::move(*keys), .guard = std::move(*guard),
      .mail = mail_of(setup_.config, std::move(*mail)), .seed = setup_.seed + 1});
  if (auto ok = emergency_->start(); !ok) return ok;
  log_.info("emergency_port", {{"address", c.listen}, {"port", emergency_->local().port}});
  const auto open = setup_.memory.load_open_episodes();
  if (!open) return std::unexpected{open.error()};
  std::set<alert_key> alerts;
  for (const auto& e : *open)
    if (e.key.kind == episode_kind::unused) alerts.insert({e.key.home, e.key.appliance, e.key.since.value});
  emergency_->tell_alerts(std::move(alerts));
  return {};
}

status relay_daemon::reload_emergency_world() {
  if (!emergency_) return {};
  auto known = setup_.memory.load_directory();
  if (!known) return std::unexpected{known.error()};
  emergency_->use_world(std::make_shared<const known_world>(std::move(*known)));
  return {};
}

// Only what is durable is told, as everywhere.
void relay_daemon::tell_alerts(const write_batch& committed) {
  const auto tell = [this](const episode_key& key, bool open) {
    if (key.kind == episode_kind::unused) emergency_->tell_alert({key.home, key.appliance, key.since.value}, open);
  };
  for (const auto& w : committed) {
    if (const auto* opened = std::get_if<episode_open_write>(&w)) tell(opened->what.key, true);
    if (const auto* closed = std::get_if<episode_close_write>(&w)) tell(closed->key, false);
  }
}

}  // namespace tomoshibi::relay
