#include "protocol/adapters/pki.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/config_file.hpp"
#include "relay/shell/store_schema.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

constexpr millis ca_validity = 25 * 365 * 24h;
constexpr millis server_validity = 10 * 365 * 24h;  // gateways check it with our own CA, not with a browser's rules
constexpr std::size_t names_max = 16;

bool is_address(const std::string& name) {
  unsigned char parsed[16];
  return inet_pton(AF_INET, name.c_str(), parsed) == 1 || inet_pton(AF_INET6, name.c_str(), parsed) == 1;
}

bool is_dns_name(const std::string& name) {
  static constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(allowed) == std::string::npos &&
         name.front() != '-' && name.front() != '.' && name.find("..") == std::string::npos;
}

result<server_certificate_request> read_names(const context& c) {
  std::vector<std::string> names = c.list("--name");
  if (names.empty()) names = {"localhost", "127.0.0.1"};
  if (names.size() > names_max)
    return fail(errc::config_invalid, "--name: at most " + std::to_string(names_max) + " times");
  server_certificate_request request;
  request.name = names.front().substr(0, 64);
  for (const auto& name : names) {
    if (is_address(name)) request.ip_addresses.push_back(name);
    else if (is_dns_name(name)) request.dns_names.push_back(name);
    else return fail(errc::config_invalid, "--name: a host name or IP address that gateways dial, given as often as needed");
  }
  request.valid = {c.now - 24h, c.now + server_validity};
  return request;
}

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
  const auto ca = make_ca(ca_name, {c.now - 24h, c.now + ca_validity});
  if (!ca) return std::unexpected(ca.error());
  const auto server = issue_server(*ca, request);
  if (!server) return std::unexpected(server.error());
  status done = write_secret_file(c.folder.ca_key(), ca->key_pem);
  if (done) done = write_public_file(c.folder.ca_certificate(), ca->certificate_pem);
  if (done) done = write_secret_file(c.folder.relay_key(), server->key_pem);
  if (done) done = write_public_file(c.folder.relay_certificate(), server->certificate_pem);
  return done;
}

status write_configuration(const context& c) {
  relay::relay_config defaults;
  return write_public_file(c.folder.configuration(), relay::relay_schema(defaults).sample());
}

status write_database(const context& c, const std::string& host) {
  auto db = relay::open_store_db(c.folder.database(), {.create = true});
  if (!db) return std::unexpected(db.error());
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  return r->set_setting("relay_host", host);
}

status init(context& c) {
  if (c.has("DIR")) c.folder.path = c.text("DIR");
  const auto request = read_names(c);
  if (!request) return std::unexpected(request.error());
  if (auto ok = make_folder(c.folder.path); !ok) return ok;
  const std::string first = c.list("--name").empty() ? "localhost" : c.list("--name").front();
  status done = write_keys(c, *request, c.text("--ca-name", "Tomoshibi CA of " + first).substr(0, 64));
  if (done) done = write_configuration(c);
  if (done) done = write_database(c, first);
  if (!done) {  // the folder was empty: leave it so
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(c.folder.path, ignored))
      std::filesystem::remove(entry.path(), ignored);
    return done;
  }
  c.say(c.folder.path + " is ready:");
  c.say("  relay.toml                    every key with its default; set [mail] before families rely on it");
  c.say("  relay.pem, relay-key.pem      the relay's certificate and key, for " + first);
  c.say("  ca.pem, ca-key.pem            the CA that makes gateways known; keep a copy of ca-key.pem off this machine");
  c.say("  relay.db                      the database");
  c.say("next: tomoshibi-relay --dir " + c.folder.path + "   and   tomoshibi-ctl --dir " + c.folder.path + " home add NAME");
  return {};
}

}  // namespace

verb_list init_verbs() {
  return {{"", "init", "Make a relay's folder: CA, certificate, database, configuration",
           {{"DIR", optional_positional, "The folder, empty or to be made (--dir)"},
            {"--name", repeatable_option, "Host name or IP address that gateways dial; may be repeated (localhost, 127.0.0.1)"},
            {"--ca-name", option, "Name of the CA (Tomoshibi CA of <first name>)"}},
           "  init /var/lib/tomoshibi --name relay.example.org --name 203.0.113.7", init}};
}

}  // namespace tomoshibi::ctl
