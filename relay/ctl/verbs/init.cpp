#include "protocol/adapters/pki.hpp"
#include "relay/ctl/certificate_dates.hpp"
#include "relay/ctl/folder_owner.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/server_names.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/config_file.hpp"
#include "relay/shell/store_schema.hpp"
#include "relay/shell/store_settings.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

// Where the Debian package keeps them.
constexpr const char* packaged_folder = "/var/lib/tomoshibi";
constexpr const char* packaged_configuration = "/etc/tomoshibi/relay.toml";

status make_folder(const std::string& path) {
  std::error_code ec;
  std::filesystem::create_directories(path, ec);
  if (ec) return fail(errc::storage_io, path + ": cannot make it: " + ec.message());
  if (!std::filesystem::is_empty(path, ec))
    return fail(errc::already_exists, path + ": is not empty; init makes a relay's folder once and replaces nothing");
  if (::chmod(path.c_str(), 0700) != 0) return fail(errc::storage_io, path + ": " + std::strerror(errno));
  return {};
}

status write_keys(const context& c, const server_certificate_request& request, const std::string& ca_name) {
  const auto ca = make_ca(ca_name, validity_of(c.now, ca_days));
  if (!ca) return std::unexpected(ca.error());
  const auto server = issue_server(*ca, request);
  if (!server) return std::unexpected(server.error());
  status done = write_secret_file(c.folder.ca_key(), ca->key_pem);
  if (done) done = write_public_file(c.folder.ca_certificate(), ca->certificate_pem);
  if (done) done = write_secret_file(c.folder.relay_key(), server->key_pem);
  if (done) done = write_public_file(c.folder.relay_certificate(), server->certificate_pem);
  return done;
}

// The file that relay.toml is to refer to; empty: relay.toml is written.
result<std::string> configuration_elsewhere(const context& c) {
  std::error_code ignored;
  if (!c.has("--config")) {
    const bool packaged = c.folder.path == packaged_folder && std::filesystem::exists(packaged_configuration, ignored);
    return packaged ? packaged_configuration : std::string{};
  }
  const auto path = std::filesystem::absolute(c.text("--config"), ignored);
  if (!std::filesystem::is_regular_file(path, ignored))
    return fail(errc::not_found, "--config: " + path.string() + ": no such file; tomoshibi-relay --print-config makes one");
  return path.string();
}

status write_configuration(const context& c, const std::string& elsewhere) {
  if (!elsewhere.empty()) {
    std::error_code failed;
    std::filesystem::create_symlink(elsewhere, c.folder.configuration(), failed);
    if (failed) return fail(errc::storage_io, c.folder.configuration() + ": " + failed.message());
    return {};
  }
  relay::relay_config defaults;
  return write_public_file(c.folder.configuration(), relay::relay_schema(defaults).sample());
}

status write_database(const context& c, const std::string& host) {
  auto db = relay::open_store_db(c.folder.database(), {.create = true});
  if (!db) return std::unexpected(db.error());
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  return r->set_setting(relay::setting_relay_host, host);
}

status give_all_to_owner(const context& c) {
  std::vector<std::string> made;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(c.folder.path, failed)) made.push_back(entry.path());
  return give_to_owner(c.folder.path, made);
}

status init(context& c) {
  if (c.has("DIR")) c.folder.path = c.text("DIR");
  std::vector<std::string> names = c.list("--name");
  if (names.empty()) names = {"localhost", "127.0.0.1"};
  auto request = read_server_names(names);
  if (!request) return std::unexpected(request.error());
  request->valid = validity_of(c.now, certificate_days);
  const auto elsewhere = configuration_elsewhere(c);
  if (!elsewhere) return std::unexpected(elsewhere.error());
  if (auto ok = make_folder(c.folder.path); !ok) return ok;
  const std::string first = c.list("--name").empty() ? "localhost" : c.list("--name").front();
  status done = write_keys(c, *request, c.text("--ca-name", "Tomoshibi CA of " + first).substr(0, 64));
  if (done) done = write_configuration(c, *elsewhere);
  if (done) done = write_database(c, first);
  if (done) done = give_all_to_owner(c);
  if (!done) {  // the folder was empty: leave it so
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(c.folder.path, ignored))
      std::filesystem::remove(entry.path(), ignored);
    return done;
  }
  c.say(c.folder.path + " is ready:");
  c.say("  relay.toml                    " + (elsewhere->empty() ? "every key with its default" : "refers to " + *elsewhere) +
        "; set [mail] before families rely on it");
  c.say("  relay.pem, relay-key.pem      the relay's certificate and key, for " + first);
  c.say("  ca.pem, ca-key.pem            the CA that makes gateways known; keep a copy of ca-key.pem off this machine");
  c.say("  relay.db                      the database");
  c.say("let gateways in through the firewall: TCP 8443 (slots) and 8444 (emergency lane), or what relay.toml says");
  c.say("next: tomoshibi-relay --dir " + c.folder.path + "   and   tomoshibi-ctl --dir " + c.folder.path + " home add NAME");
  return {};
}

}  // namespace

verb_list init_verbs() {
  return {{"", "init", "Make a relay's folder: CA, certificate, database, configuration",
           {{"DIR", optional_positional, "The folder, empty or to be made (--dir)"},
            {"--name", repeatable_option, "Host name or IP address that gateways dial; may be repeated (localhost, 127.0.0.1)"},
            {"--config", option, "Let relay.toml refer to this file (with /var/lib/tomoshibi: /etc/tomoshibi/relay.toml, if it is there)"},
            {"--ca-name", option, "Name of the CA (Tomoshibi CA of <first name>)"}},
           "  init /var/lib/tomoshibi --name relay.example.org --name 203.0.113.7", init}};
}

}  // namespace tomoshibi::ctl
