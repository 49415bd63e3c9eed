#include "relay/ctl/certificate_dates.hpp"
#include "relay/ctl/gateway_bundle.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/server_names.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_settings.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

constexpr std::uint16_t device_port = 8443;

status add(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto id = gateway_id::parse(c.text("NAME"));
  if (!id)
    return fail(errc::config_invalid, "NAME: 1 to 32 characters of a-z, 0-9 and -, the first a letter or digit");
  for (const auto& g : r->gateways_of(h->id))
    if (!g.revoked)
      return fail(errc::refused, "home " + shown(h->id) + " has gateway " + g.id.text() +
                                     "; a home has one: revoke or remove that one first");
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::add_gateway(r->db(), {*id, h->id, false, ""}, c.now); !ok) return ok;
    c.say("gateway " + id->text() + " added to home " + shown(h->id));
    return {};
  });
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  text_table t({"GATEWAY", "HOME", "STATE"});
  for (const auto& [id, g] : r->directory().gateways) {
    const char* state = g.revoked ? "revoked" : g.certificate_sha256.empty() ? "not enrolled" : "enrolled";
    if (c.has("--json"))
      c.say(json_object().add("gateway", id.text()).add("home", static_cast<std::uint32_t>(g.home)).add("state", state).text());
    t.row({id.text(), shown(g.home), state});
  }
  if (!c.has("--json")) c.out += t.empty() ? "no gateways\n" : t.text();
  return {};
}

// "name", "name:port", "[v6]:port", into the bundle.
status read_relay_address(const context& c, registry& r, bundle& b) {
  const std::string typed = c.text("--relay", r.setting(relay::setting_relay_host, "localhost"));
  b.relay_port = device_port;
  std::string host = typed;
  const auto colon = typed.rfind(':');
  const bool bracketed = typed.starts_with("[");
  if (colon != std::string::npos && (bracketed ? typed[colon - 1] == ']' : typed.find(':') == colon)) {
    const auto port = parse_integer("--relay", typed.substr(colon + 1), 1, 65535);
    if (!port) return std::unexpected(port.error());
    b.relay_port = static_cast<std::uint16_t>(*port);
    host = typed.substr(0, colon);
  }
  if (bracketed && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  const bool clean = host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") == std::string::npos;
  if (host.empty() || host.size() > 253 || !clean)
    return fail(errc::config_invalid, "--relay: HOST or HOST:PORT, a name or address of the relay's certificate");
  b.relay_host = host;
  return {};
}

// 0: the relay takes any free port, which only its log knows.
status read_emergency_port(const context& c, bundle& b) {
  const auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  if (config->emergency.enabled && config->emergency.port != 0) b.emergency_port = config->emergency.port;
  return {};
}

result<std::string> file_text(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) return fail(errc::config_invalid, "guard.ca: " + path + ": cannot be read");
  return text;
}

// The box speaks to the centre as the relay does, under the home's account.
status read_guard_direct(const context& c, const registry& r, const relay::gateway& g, bundle& b) {
  if (!c.has("--guard-direct")) return {};
  const auto receiver = parse_guard_receiver(c.text("--guard-direct"));
  if (!receiver)
    return fail(errc::config_invalid, "--guard-direct: tls://host:port of the guard centre as the box reaches it, like "
                                     "tls://centre.example.net:10443");
  const auto account = r.directory().guards.find(g.home);
  if (account == r.directory().guards.end())
    return fail(errc::refused, "home " + shown(g.home) + " has no account at the guard centre; first: guard set " + shown(g.home));
  const auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  const guard_config& centre = config->guard;
  bundle_guard out{.receiver = c.text("--guard-direct"), .account = account->second.account, .key_hex = account->second.key_hex,
                   .ca_pem = {}, .sia = centre.format == dc09::token::sia_dcs, .receiver_number = centre.receiver,
                   .line_prefix = centre.line, .extensions = centre.extensions};
  if (receiver->secure) {
    if (centre.ca.empty())
      return fail(errc::refused, "--guard-direct: tls:// needs [guard] ca in relay.toml, whose certificates the box is to believe");
    auto pem = file_text(centre.ca);
    if (!pem) return std::unexpected(pem.error());
    out.ca_pem = std::move(*pem);
  }
  b.guard = std::move(out);
  return {};
}

// A gateway dials this name and believes only a certificate that carries it.
void warn_of_foreign_name(context& c, const std::string& host) {
  const auto config = configuration(c);
  const std::string path = config && !config->device.certificate.empty() ? config->device.certificate : c.folder.relay_certificate();
  std::ifstream file(path);
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  const auto facts = read_certificate(pem);
  if (!facts || covers(*facts, host)) return;
  c.note += "tomoshibi-ctl: WARNING: the relay's certificate is not for " + host + " but for " + names_of(*facts) +
            ": the gateway will refuse the relay. Enrol again with one of these, or add the name: certificate renew --name ...\n";
}

result<std::string> check_enrol(const context& c, const relay::gateway& g) {
  if (g.revoked)
    return fail(errc::refused, "gateway " + g.id.text() + " is revoked; remove it and add one of another name");
  if (!g.certificate_sha256.empty() && !c.has("--again"))
    return fail(errc::already_exists, "gateway " + g.id.text() +
                                          " is enrolled; with --again it gets a new certificate and the former one stops working");
  const std::string folder = c.text("--out", "./" + g.id.text());
  if (std::filesystem::exists(folder))
    return fail(errc::already_exists, "--out: " + folder + " exists already; name a folder that is to be made");
  return folder;
}

status enrol(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto g = r->find_gateway(c.text("GATEWAY"));
  if (!g) return std::unexpected(g.error());
  const auto folder = check_enrol(c, *g);
  if (!folder) return std::unexpected(folder.error());
  const auto days = read_days(c);
  if (!days) return std::unexpected(days.error());
  bundle b;
  b.gateway = g->id;
  if (auto ok = read_relay_address(c, *r, b); !ok) return ok;
  if (auto ok = read_emergency_port(c, b); !ok) return ok;
  if (auto ok = read_guard_direct(c, *r, *g, b); !ok) return ok;
  const auto ca = load_ca(c.folder.ca_certificate(), c.folder.ca_key());
  if (!ca) return std::unexpected(ca.error());
  b.ca_pem = ca->certificate_pem;
  const auto ca_facts = read_certificate(ca->certificate_pem);
  if (!ca_facts) return std::unexpected(ca_facts.error());
  auto identity = issue_gateway(*ca, g->id, validity_within(ca_facts->valid, c.now, *days));
  if (!identity) return std::unexpected(identity.error());
  b.identity = std::move(*identity);
  if (auto ok = write_bundle(*folder, b); !ok) return ok;
  g->certificate_sha256 = b.identity.sha256;
  const status stored = change(c, *r, [&]() -> status { return relay::change_gateway(r->db(), *g); });
  if (!stored) {
    std::error_code ignored;
    std::filesystem::remove_all(*folder, ignored);
    return stored;
  }
  warn_of_foreign_name(c, b.relay_host);
  c.say("gateway " + g->id.text() + " enrolled; take " + *folder + " to the box and delete it here");
  return {};
}

status revoke(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto g = r->find_gateway(c.text("GATEWAY"));
  if (!g) return std::unexpected(g.error());
  if (g->revoked) {
    c.say("gateway " + g->id.text() + " is already revoked");
    return {};
  }
  g->revoked = true;
  if (auto ok = change(c, *r, [&]() -> status { return relay::change_gateway(r->db(), *g); }); !ok) return ok;
  c.say("gateway " + g->id.text() + " revoked: the relay hangs up and lets it in no more");
  return {};
}

status remove(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto g = r->find_gateway(c.text("GATEWAY"));
  if (!g) return std::unexpected(g.error());
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::remove_gateway(r->db(), g->id); !ok) return ok;
    c.say("gateway " + g->id.text() + " removed; the slots it sent stay with home " + shown(g->home));
    return {};
  });
}

}  // namespace

verb_list gateway_verbs() {
  const argument gateway{"GATEWAY", positional, "Name"};
  return {
      {"gateway", "add", "Register a gateway for a home",
       {{"HOME", positional, "Number or name"}, {"NAME", positional, "1 to 32 of a-z 0-9 -, becomes its certificate's name"}},
       "  gateway add 1 box-0001", add},
      {"gateway", "list", "All gateways", {{"--json", flag, "One JSON object a line"}}, "", list},
      {"gateway", "enrol", "Issue a certificate and write the folder for the box (keys are never shown)",
       {gateway,
        {"--out", option, "Folder to make (./GATEWAY)"},
        {"--relay", option, "HOST or HOST:PORT the box dials (first --name of init, port 8443)"},
        {"--guard-direct", option, "tls://HOST:PORT of the guard centre: the box calls it itself when the relay is away (none)"},
        {"--days", option, "How long the certificate is valid, 1 to 7300 (3650)"},
        {"--again", flag, "Replace the certificate it has"}},
       "  gateway enrol box-0001 --out /media/usb/box-0001 --relay relay.example.org:443\n"
       "  gateway enrol box-0001 --guard-direct tls://centre.example.net:10443", enrol},
      {"gateway", "revoke", "Let a gateway in no more, from this moment", {gateway}, "  gateway revoke box-0001", revoke},
      {"gateway", "remove", "Forget a gateway with its line history; slots stay", {gateway}, "", remove},
  };
}

}  // namespace tomoshibi::ctl
