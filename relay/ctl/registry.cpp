#include "relay/ctl/registry.hpp"

#include "relay/ctl/relay_link.hpp"
#include "relay/shell/store_schema.hpp"
#include "relay/shell/store_settings.hpp"

#include <algorithm>
#include <charconv>

namespace tomoshibi::ctl {
namespace {

template <class Id>
std::optional<Id> as_number(const std::string& typed) {
  std::underlying_type_t<Id> v{};
  const auto [end, ec] = std::from_chars(typed.data(), typed.data() + typed.size(), v);
  if (ec != std::errc{} || end != typed.data() + typed.size()) return std::nullopt;
  return static_cast<Id>(v);
}

}  // namespace

result<relay::relay_config> configuration(const context& c) {
  auto config = relay::read_relay_config(c.folder.configuration(), c.folder);
  if (config || config.error().code != errc::not_found) return config;
  relay::relay_config defaults;
  defaults.database = c.folder.database();
  return defaults;
}

result<registry> registry::open(const context& c) {
  const auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  auto db = relay::open_store_db(config->database, {});
  if (!db) return std::unexpected(db.error());
  registry r(std::move(*db));
  if (auto ok = r.reload(); !ok) return std::unexpected(ok.error());
  return r;
}

status registry::reload() {
  auto read = relay::read_directory(db_);
  if (!read) return std::unexpected(read.error());
  directory_ = std::move(*read);
  return {};
}

result<relay::home> registry::find_home(const std::string& typed) const {
  if (const auto id = as_number<home_id>(typed))
    if (const auto found = directory_.homes.find(*id); found != directory_.homes.end()) return found->second;
  for (const auto& [id, h] : directory_.homes)
    if (h.name == typed) return h;
  return fail(errc::not_found, "no home '" + typed + "'; see: tomoshibi-ctl home list");
}

result<relay::appliance> registry::find_appliance(home_id home, const std::string& typed) const {
  if (const auto id = as_number<appliance_id>(typed))
    if (const auto found = directory_.appliances.find({home, *id}); found != directory_.appliances.end())
      return found->second;
  const relay::appliance* match = nullptr;
  for (const auto& [key, a] : directory_.appliances) {
    if (key.first != home || a.spec.label != typed) continue;
    if (match != nullptr) return fail(errc::not_found, "two appliances are called '" + typed + "'; give the number");
    match = &a;
  }
  if (match != nullptr) return *match;
  return fail(errc::not_found, "no appliance '" + typed + "' in home " + shown(home) + "; see: tomoshibi-ctl appliance list " +
                                   shown(home));
}

result<relay::gateway> registry::find_gateway(const std::string& typed) const {
  if (const auto id = gateway_id::parse(typed))
    if (const auto found = directory_.gateways.find(*id); found != directory_.gateways.end()) return found->second;
  return fail(errc::not_found, "no gateway '" + typed + "'; see: tomoshibi-ctl gateway list");
}

result<relay::contact> registry::find_contact(const std::string& typed) const {
  if (const auto id = as_number<contact_id>(typed))
    if (const auto found = directory_.contacts.find(*id); found != directory_.contacts.end()) return found->second;
  return fail(errc::not_found, "no contact number '" + typed + "'; see: tomoshibi-ctl contact list");
}

std::vector<relay::appliance> registry::appliances_of(home_id home) const {
  std::vector<relay::appliance> out;
  for (const auto& [key, a] : directory_.appliances)
    if (key.first == home) out.push_back(a);
  return out;
}

std::vector<relay::gateway> registry::gateways_of(home_id home) const {
  std::vector<relay::gateway> out;
  for (const auto& [id, g] : directory_.gateways)
    if (g.home == home) out.push_back(g);
  return out;
}

std::vector<relay::contact> registry::contacts_of(home_id home) const {
  std::vector<relay::contact> out;
  for (const auto& [id, c] : directory_.contacts)
    if (c.home == home) out.push_back(c);
  return out;
}

relay::config_settings registry::settings_of(home_id home) const {
  const auto found = directory_.configs.find(home);
  if (found == directory_.configs.end()) return {};
  return {found->second.poll_interval_s, found->second.gap_limit_s};
}

std::string registry::setting(std::string_view key, std::string otherwise) {
  auto found = relay::read_setting(db_, key);
  return found && *found ? std::move(**found) : otherwise;
}

status registry::set_setting(std::string_view key, std::string_view value) {
  return relay::write_setting(db_, key, value);
}

void poke_relay(context& c) {
  const auto answer = ask_relay(c.folder.control_socket(), "reload");
  if (answer && *answer == "ok") return;
  if (!answer && answer.error().code == errc::net_unreachable) return;  // not running: it reads everything at its start
  c.note += "tomoshibi-ctl: stored, but the running relay did not take it: " +
            (answer ? *answer : answer.error().detail) + "; restart it\n";
}

}  // namespace tomoshibi::ctl
