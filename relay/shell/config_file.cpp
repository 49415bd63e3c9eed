#include "relay/shell/config_file.hpp"

#include "relay/core/mail_address.hpp"

#include <algorithm>
#include <array>
#include <arpa/inet.h>
#include <sys/stat.h>

namespace tomoshibi::relay {
namespace {

bool numeric_address(const std::string& text) {
  in6_addr six{};
  in_addr four{};
  return inet_pton(AF_INET, text.c_str(), &four) == 1 || inet_pton(AF_INET6, text.c_str(), &six) == 1;
}

std::string listen_allowed(const config_value& value) {
  return numeric_address(std::get<std::string>(value)) ? "" : "a numeric IPv4 or IPv6 address to listen on";
}

void declare_device(config_schema& schema, device_config& c) {
  auto& t = schema.table("device", "The device channel: where gateways dial in, with TLS 1.3 and certificates on both sides.");
  t.text("listen", c.listen, {2, 45}).check(listen_allowed).at_start()
      .help("Address to listen on: 0.0.0.0 = every IPv4 interface, :: = every IPv6 interface.");
  t.integer("port", c.port, 0, 65535).at_start()
      .help("TCP port; 0 = any free one, named in the log. 443 works where firewalls are strict.");
  t.path("certificate", c.certificate).help("The relay's certificate (PEM). Without it: relay.pem in the relay's folder.");
  t.path("key", c.key).help("Its private key (PEM). Without it: relay-key.pem in the relay's folder.");
  t.path("ca", c.ca).help("The provider's own CA, which signed the gateways' certificates. Without it: ca.pem in the relay's folder.");
  t.integer("connections_max", c.connections_max, 1, 200'000)
      .help("More connections than this are dropped as they come in.");
}

void declare_mail(config_schema& schema, mail_config& c) {
  auto& t = schema.table("mail", "The mail server that takes our notices.");
  t.text("server", c.server, {0, 253}).help("Name or address. Empty: no mail leaves, notices wait in the queue.");
  t.integer("port", c.port, 1, 65535).help("587 for STARTTLS, 465 for TLS from the first byte.");
  t.choice<mail_security>("security", c.security,
                          {{"starttls", mail_security::starttls}, {"tls", mail_security::tls}, {"none", mail_security::none}})
      .help("starttls: refused unless the server offers it. none: only for a server on loopback.");
  t.text("user", c.user, {0, 128}).help("User name for authentication; empty = none.");
  t.path("password_file", c.password_file).help("File that holds the password in its only line; mode 0600 is a good idea.");
  t.path("ca_file", c.ca_file).help("CA certificates that the server's certificate is checked with. Without it: the system's.");
  t.text("from", c.from, {3, mail_address_max})
      .check([](const config_value& v) {
        auto ok = check_mail_address(std::get<std::string>(v));
        return ok ? std::string{} : ok.error().detail;
      })
      .help("Address that notices come from. Its domain also ends each Message-ID.");
  t.text("from_name", c.from_name, {0, 80}).help("Name shown beside that address.");
  t.integer("timeout_s", c.timeout_s, 5, 600).help("Seconds for one mail, connection and all.");
}

void declare_pages(config_schema& schema, pages_config& c) {
  auto& t = schema.table("pages", "Metrics and health over HTTP: /metrics (Prometheus), /healthz (JSON), / (a page to read).");
  t.boolean("enabled", c.enabled).at_start().help("false: no HTTP port at all.");
  t.text("listen", c.listen, {2, 45}).check(listen_allowed).at_start()
      .help("Address to listen on. The pages have no login: leave them on loopback or behind a proxy that has one.");
  t.integer("port", c.port, 0, 65535).at_start().help("TCP port; 0 = any free one, named in the log.");
  t.path("api_token_file", c.api_token_file)
      .help("File whose only line is the token that POST /api/dispatch asks for, at least 32 characters; mode 0600. Without it: no API.");
}

void declare_emergency(config_schema& schema, emergency_config& c) {
  auto& t = schema.table("emergency", "The emergency lane: a port of its own, where gateways hold a second connection for presses.");
  t.boolean("enabled", c.enabled).at_start().help("false: no lane; a press of a button goes no further than its box.");
  t.text("listen", c.listen, {2, 45}).check(listen_allowed).at_start()
      .help("Address to listen on: 0.0.0.0 = every IPv4 interface, :: = every IPv6 interface.");
  t.integer("port", c.port, 0, 65535).at_start()
      .help("TCP port; 0 = any free one, named in the log. Gateways dial it beside device.port: open both in the firewall. "
            "Certificates are those of the device channel.");
  t.integer("connections_max", c.connections_max, 1, 200'000).at_start()
      .help("More connections than this are dropped as they come in.");
}

std::string line_account_allowed(const config_value& value) {
  const auto& text = std::get<std::string>(value);
  return text.empty() ? std::string{} : check_guard_account(text);
}

void declare_guard_centre(config_schema& schema, relay_config& c) {
  auto& t = schema.table("guard", "The guard centre that is told of presses (SIA DC-09). Homes get their accounts with "
                                   "tomoshibi-ctl guard set.");
  declare_guard(t, c.guard);
  t.text("line_account", c.emergency.line_account, {0, 16}).check(line_account_allowed).at_start()
      .help("Account whose NULL asks whether the line lives, as the centre gave it; its key is that of the home with this "
            "account, if there is one. Empty: the line is not supervised.");
}

using address_bytes = std::array<std::uint8_t, 16>;   // IPv4 as ::ffff:a.b.c.d

address_bytes bytes_of(const std::string& numeric) {
  address_bytes out{};
  if (inet_pton(AF_INET6, numeric.c_str(), out.data()) == 1) return out;
  out[10] = out[11] = 0xff;
  inet_pton(AF_INET, numeric.c_str(), out.data() + 12);
  return out;
}

// Whether a listener at one leaves no room for one at the other: :: takes every address, 0.0.0.0 every one of IPv4.
bool same_place(const std::string& a, const std::string& b) {
  const auto x = bytes_of(a), y = bytes_of(b), all = bytes_of("::"), all_four = bytes_of("0.0.0.0");
  const auto four = [&all_four](const address_bytes& at) { return std::equal(at.begin(), at.begin() + 12, all_four.begin()); };
  return x == y || x == all || y == all || ((x == all_four || y == all_four) && four(x) && four(y));
}

// Port 0 is any free one: never the same.
void check_ports(const relay_config& c, std::vector<std::string>& wrong) {
  struct place {
    std::string table;
    const std::string& listen;
    std::uint16_t port;
    bool used;
  };
  const place all[] = {{"device", c.device.listen, c.device.port, true},
                       {"emergency", c.emergency.listen, c.emergency.port, c.emergency.enabled},
                       {"pages", c.pages.listen, c.pages.port, c.pages.enabled}};
  for (const place& a : all)
    for (const place* b = &a + 1; b != std::end(all); ++b)
      if (a.used && b->used && a.port != 0 && a.port == b->port && same_place(a.listen, b->listen))
        wrong.push_back(b->table + ".port: " + std::to_string(b->port) + " at " + b->listen + " is taken by " + a.table + ".port (" +
                        a.listen + ") already; each needs a port of its own");
}

void check_together(relay_config& c, std::vector<std::string>& wrong) {
  c.emergency.line_account = written_guard_account(std::move(c.emergency.line_account));
  check_ports(c, wrong);
  if (c.mail.security == mail_security::none && !c.mail.server.empty() && !loopback_address(c.mail.server)) {
    wrong.emplace_back("mail.security: \"none\" is allowed only when mail.server is on loopback");
  }
  check_guard(c.guard, "guard", wrong);
  if (c.mail.user.empty() != c.mail.password_file.empty()) {
    wrong.emplace_back("mail.user: mail.user and mail.password_file must be given together");
  }
}

void fill(std::string& into, const std::string& value) {
  if (into.empty()) into = value;
}

void fill_files(relay_config& config, const data_folder& folder) {
  fill(config.database, folder.database());
  fill(config.device.certificate, folder.relay_certificate());
  fill(config.device.key, folder.relay_key());
  fill(config.device.ca, folder.ca_certificate());
}

}  // namespace

bool loopback_address(const std::string& text) {
  return text == "localhost" || text == "::1" || (numeric_address(text) && text.starts_with("127."));
}

config_schema relay_schema(relay_config& into) {
  config_schema schema("tomoshibi-relay: takes what gateways report, judges it, writes to families.");
  auto& store = schema.table("store", "The relay's memory.");
  store.path("database", into.database).at_start().help("The SQLite file. Without it: relay.db in the relay's folder.");
  declare_device(schema, into.device);
  declare_mail(schema, into.mail);
  declare_pages(schema, into.pages);
  declare_emergency(schema, into.emergency);
  declare_guard_centre(schema, into);
  auto& log = schema.table("log", "Lines on standard error.");
  log.choice<log_level>("level", into.log,
                        {{"error", log_level::error}, {"warn", log_level::warning}, {"info", log_level::info},
                         {"debug", log_level::debug}})
      .help("What is less important than this is left out.");
  schema.check_all([&into](std::vector<std::string>& wrong) { check_together(into, wrong); });
  return schema;
}

result<relay_config> read_relay_config(const std::string& path, const data_folder& folder) {
  relay_config config;
  auto schema = relay_schema(config);
  if (auto ok = schema.read_file(path); !ok) return std::unexpected{ok.error()};
  fill_files(config, folder);
  return config;
}

relay_config default_relay_config(const data_folder& folder) {
  relay_config config;
  fill_files(config, folder);
  return config;
}

std::unexpected<error> cannot_listen(std::string_view table, error why) {
  const std::string key(table);
  why.detail = key + ".listen, " + key + ".port: " + why.detail;
  return std::unexpected(std::move(why));
}

std::vector<config_schema::difference> differences(relay_config before, relay_config after) {
  return relay_schema(after).differences(relay_schema(before));
}

void keep_at_start(const relay_config& former, relay_config& fresh) {
  fresh.database = former.database;
  fresh.device.listen = former.device.listen;
  fresh.device.port = former.device.port;
  fresh.pages.enabled = former.pages.enabled;
  fresh.pages.listen = former.pages.listen;
  fresh.pages.port = former.pages.port;
  fresh.emergency = former.emergency;
  fresh.guard = former.guard;
}

std::string replay_refusal(const relay_config& c) {
  if (!loopback_address(c.device.listen)) return "device.listen is not on loopback";
  if (!c.mail.server.empty() && !loopback_address(c.mail.server)) return "mail.server is not on loopback";
  if (c.pages.enabled && !loopback_address(c.pages.listen)) return "pages.listen is not on loopback";
  if (c.emergency.enabled && !loopback_address(c.emergency.listen)) return "emergency.listen is not on loopback";
  if (!on_this_machine(c.guard)) return "guard.receivers are not on loopback";
  return {};
}

}  // namespace tomoshibi::relay
