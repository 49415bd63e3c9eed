#include "firmware/shell/config_file.hpp"

#include "firmware/core/watch.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>

namespace tomoshibi::firmware {
namespace {

constexpr std::size_t relays_max = 8;
constexpr std::string_view relay_address_form = "host:port, for example \"relay.example.net:8443\" or \"[2001:db8::7]:443\"";

// What is declared, and what of it needs a second look once it is read.
struct raw_config {
  gateway_config config;
  std::vector<std::string> relays;
  struct appliance {
    wire::watched_appliance watched;
    std::string object;
  };
  std::vector<appliance> appliances;
};

std::optional<std::uint32_t> parse_object(std::string_view text) {
  if (text.size() != 6 && text.size() != 4) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return text.size() == 4 ? value << 8 : value;
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

std::string check_relays(const config_value& value) {
  for (const auto& text : std::get<std::vector<std::string>>(value))
    if (!parse_host_port(text)) return "a list of " + std::string(relay_address_form);
  return {};
}

std::string check_bind_address(const config_value& value) {
  return is_ipv4(std::get<std::string>(value)) ? "" : "an IPv4 address; 0.0.0.0 for all of the machine";
}

std::string check_object(const config_value& value) {
  return parse_object(std::get<std::string>(value))
             ? ""
             : "an ECHONET object as 4 or 6 hex digits: class group, class, and instance where it matters (\"0602\", \"060201\")";
}

void declare_gateway(config_schema& schema, gateway_config& c) {
  config_table& t = schema.table("gateway", "The program itself.");
  t.path("state_folder", c.state_folder).at_start().help("Where the outbox is kept. Made if it is missing. One gateway per folder.");
  t.choice("log", c.log, {{"error", log_level::error}, {"warn", log_level::warning}, {"info", log_level::info},
                          {"debug", log_level::debug}})
      .help("How much is told on standard error.");
}

void declare_relay(config_schema& schema, raw_config& raw) {
  gateway_config& c = raw.config;
  config_table& t = schema.table("relay", "Where records go. The gateway dials out; nothing connects to it.");
  t.text_list("addresses", raw.relays, 0, relays_max, {1, host_bytes_max + 8})
      .check(check_relays)
      .example("[\"relay.example.net:8443\"]")
      .help("Relays, tried in turn: host:port. Without any, nothing is sent and the gateway keeps aggregating.");
  t.path("certificate", c.certificate)
      .help("This gateway's certificate (PEM), from the bundle that tomoshibi-ctl wrote. Its CN is the gateway's name.");
  t.path("key", c.key).help("The key of the certificate (PEM). Nobody but the gateway needs to read it.");
  t.path("ca", c.ca).help("The provider's CA certificate (PEM): a relay must show a certificate that it signed.");
}

void declare_echonet(config_schema& schema, echonet_config& c) {
  config_table& t = schema.table("echonet", "ECHONET Lite in the home network: UDP port 3610, multicast 224.0.23.0.");
  t.boolean("enabled", c.enabled).at_start().help("Whether the family is used at all.");
  t.text("interface", c.interface, {0, 15}).at_start().example("\"eth0\"")
      .help("The home network's interface. Empty: what the system's routes choose. One that is missing is waited for.");
  t.text("bind_address", c.bind_address).check(check_bind_address).at_start()
      .help("Own address. Another one than 0.0.0.0 lets several nodes live on one machine.");
}

void declare_box(config_schema& schema, box_config& c) {
  config_table& t = schema.table("box", "What the box itself has: an emergency button, mains and battery.");
  box_button_config& b = c.button;
  t.choice("button", b.kind, {{"none", box_button_kind::none}, {"input", box_button_kind::input}, {"gpio", box_button_kind::gpio}})
      .at_start()
      .help("How the button on the box is read: a Linux input device (gpio-keys, a USB button) or a line of a GPIO character device.");
  t.path("button_device", b.device).at_start().example("\"/dev/input/by-path/platform-gpio-keys-event\"")
      .help("The device: /dev/input/... or /dev/gpiochip... One that is missing is waited for, and is a trouble meanwhile.");
  t.integer("button_code", b.code, 0, 767).at_start()
      .help("Key code of an input device (linux/input-event-codes.h), or number of the GPIO line.");
  t.boolean("button_active_low", b.active_low).at_start().help("GPIO: pressed means low.");
  t.integer("button_debounce_ms", b.debounce_ms, 0, 1000).at_start().help("GPIO: changes shorter than this are contacts that bounce.");
  t.path("power_folder", c.power_folder).at_start().help("Where the kernel shows mains and battery. What it does not show is not watched.");
}

std::string check_lamp(const config_value& value) {
  const bool good = std::get<std::string>(value).find('/') == std::string::npos;
  return good ? "" : "the name of a LED below lamp_folder, without /";
}

void declare_emergency(config_schema& schema, emergency_config& c) {
  config_table& t = schema.table("emergency", "Emergency buttons: ECHONET classes 0x0003 and 0x0004 and the box's own, to the relay by a "
                                              "connection of its own, shown on the panel.");
  t.boolean("enabled", c.enabled).at_start().help("Whether presses are heard at all.");
  t.integer("port", c.port, 1, 65535).help("Port of the relay for presses, at the hosts of relay.addresses.");
  t.integer("direct_after_s", c.direct_after_s, 0, 60)
      .help("Seconds without the guard centre's acknowledgement until the gateway calls it by itself, with [guard]; less than "
            "undelivered_after_s. 0: never.");
  t.integer("undelivered_after_s", c.undelivered_after_s, 10, 300)
      .help("Seconds without it until the panel says \"not delivered\". It goes on being tried.");
  t.integer("button_period_s", c.button_period_s, 0, 604'800).at_start()
      .help("Seconds in which an ECHONET button must be heard of, or it is in trouble; it is asked every watch.poll_interval_s. 0: never.");
  t.path("panel_file", c.panel_file).at_start().example("\"/run/tomoshibi-gateway/panel\"")
      .help("A file that always holds what the panel shows, for a box without lamps. Its folder exists. Empty: none.");
  t.path("lamp_folder", c.lamp_folder).at_start().help("Where Linux keeps its LEDs.");
  t.text("lamp_call", c.lamp_call, {0, 64}).at_start().check(check_lamp).example("\"red:call\"").help("LED: help has been called.");
  t.text("lamp_answer", c.lamp_answer, {0, 64}).at_start().check(check_lamp).help("LED: somebody has it.");
  t.text("lamp_fault", c.lamp_fault, {0, 64}).at_start().check(check_lamp).help("LED: a press cannot be saved.");
  t.text("buzzer", c.buzzer, {0, 64}).at_start().check(check_lamp).help("Buzzer that Linux knows as a LED.");
}

std::string check_account(const config_value& value) { return check_guard_account(std::get<std::string>(value)); }

void declare_direct(config_schema& schema, direct_config& c) {
  config_table& t = schema.table("guard", "The guard centre, for a press that the relay has not brought there in time: the gateway "
                                          "then calls it by itself (SIA DC-09). Without receivers and account it does not.");
  t.text("account", c.account, {3, 16}).at_start().check(check_account).example("\"1234\"")
      .help("The home's account at the guard centre, the same as at the relay (tomoshibi-ctl guard set).");
  t.path("account_key", c.account_key).at_start().example("\"/etc/tomoshibi/guard-account.key\"")
      .help("File with the account's key, 32, 48 or 64 hexadecimal digits (AES-128, -192, -256). Without it the line is not "
            "encrypted inside its TLS.");
  declare_guard(t, c.guard);
}

void declare_watch(config_schema& schema, wire::config& c) {
  config_table& t = schema.table(
      "watch", "How appliances are watched until the relay sends its own configuration, which then stands.");
  t.integer("poll_interval_s", c.poll_interval_s, 1, 900).at_start().help("Seconds between two readings of an appliance.");
  t.integer("gap_limit_s", c.gap_limit_s, 1, 3600).at_start()
      .help("Seconds that a reading stands. Time longer than that without the next one counts as missing. "
            "At least poll_interval_s.");
}

void declare_appliance(config_table& t, raw_config::appliance& a) {
  wire::watched_appliance& w = a.watched;
  t.integer("id", w.appliance, 1, 65535).required().example("1")
      .help("Number of the appliance within the home, never used again for another one.");
  t.text("label", w.label, {0, wire::label_bytes_max}).example("\"TV\"").help("For people.");
  t.text("object", a.object, {4, 6}).required().check(check_object).example("\"0602\"")
      .help("ECHONET object: class group and class, with or without instance.");
  t.text("node", w.node, {0, wire::device_key_max})
      .help("Identity of the node (34 hex digits of property 0x83, or ip:<address>). Empty: any node.");
  t.choice("on", w.on_rule, {{"operation_status", wire::on_rule_kind::operation_status},
                             {"watts_above", wire::on_rule_kind::watts_above},
                             {"sensor_state", wire::on_rule_kind::sensor_state}})
      .help("What counts as ON: operation status 0x30, power above watts_above, or an active sensor.");
  t.integer("watts_above", w.watts_above, 0, 10'000).help("Watts; more than this is ON. For on = \"watts_above\".");
  t.integer("power_w_max", w.power_w_max, 1, 100'000)
      .help("Watts the appliance can draw at most; a meter that rises faster was reset or replaced.");
}

void check_together(raw_config& raw, std::vector<std::string>& problems) {
  gateway_config& c = raw.config;
  c.relays.clear();
  for (const auto& text : raw.relays) c.relays.push_back(*parse_host_port(text));
  c.watch.appliances.clear();
  for (auto& entry : raw.appliances) {
    entry.watched.eoj = *parse_object(entry.object);
    c.watch.appliances.push_back(entry.watched);
  }
  if (c.box.button.kind != box_button_kind::none && c.box.button.device.empty())
    problems.push_back("box.button_device: needed where box.button is not \"none\"");
  const emergency_config& e = c.emergency;
  if (c.direct.used() && e.direct_after_s >= e.undelivered_after_s)
    problems.push_back("emergency.direct_after_s: must be less than emergency.undelivered_after_s (" +
                       std::to_string(e.direct_after_s) + " and " + std::to_string(e.undelivered_after_s) +
                       "): the guard centre is called before the panel says \"not delivered\"");
  c.direct.account = written_guard_account(std::move(c.direct.account));
  check_guard(c.direct.guard, "guard", problems);
  if (c.direct.account.empty() != c.direct.guard.receivers.empty()) problems.push_back("guard.account and guard.receivers: both or none");
  if (auto sound = check_config(c.watch); !sound) problems.push_back("[watch] and [[appliance]]: " + sound.error().detail);
}

config_schema gateway_schema(raw_config& raw) {
  config_schema schema("Configuration of tomoshibi-gateway, the box in the home. "
                       "Lines that begin with # show a default or an example.");
  declare_gateway(schema, raw.config);
  declare_relay(schema, raw);
  declare_echonet(schema, raw.config.echonet);
  declare_box(schema, raw.config.box);
  declare_emergency(schema, raw.config.emergency);
  declare_direct(schema, raw.config.direct);
  declare_watch(schema, raw.config.watch);
  schema.tables<raw_config::appliance>("appliance", raw.appliances, wire::appliances_max,
                                       "One for each watched appliance, until the relay sends its own list.", declare_appliance);
  schema.check_all([&raw](std::vector<std::string>& problems) { check_together(raw, problems); });
  return schema;
}

std::vector<std::string> texts_of(const std::vector<host_port>& relays) {
  std::vector<std::string> out;
  for (const auto& r : relays) out.push_back(r.host + " " + std::to_string(r.port));
  return out;
}

bool loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

// Numbers are judged as they are; of names only `localhost` is asked for, so that no name server decides.
bool on_loopback(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = host == "localhost" ? 0 : AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return false;
  bool all = found != nullptr;
  for (const addrinfo* i = found; i != nullptr; i = i->ai_next) all = all && loopback(i->ai_addr);
  freeaddrinfo(found);
  return all;
}

template <class Read>
result<gateway_config> read_with(Read read) {
  raw_config raw;
  config_schema schema = gateway_schema(raw);
  if (auto done = read(schema); !done) return std::unexpected(done.error());
  return std::move(raw.config);
}

}  // namespace

result<gateway_config> read_gateway_config(const std::string& path) {
  return read_with([&path](config_schema& schema) { return schema.read_file(path); });
}

result<gateway_config> read_gateway_config_text(std::string_view toml, const std::string& name_for_errors) {
  return read_with([toml, &name_for_errors](config_schema& schema) { return schema.read_text(toml, name_for_errors); });
}

std::vector<config_schema::difference> differences(const gateway_config& before, const gateway_config& after) {
  raw_config was{.config = before, .relays = texts_of(before.relays), .appliances = {}};
  raw_config is{.config = after, .relays = texts_of(after.relays), .appliances = {}};
  auto out = gateway_schema(is).differences(gateway_schema(was));
  if (before.watch.appliances != after.watch.appliances) out.push_back({"appliance", true});
  return out;
}

void keep_at_start(const gateway_config& former, gateway_config& fresh) {
  fresh.state_folder = former.state_folder;
  fresh.echonet = former.echonet;
  fresh.box = former.box;
  fresh.direct = former.direct;
  const emergency_config now = fresh.emergency;
  fresh.emergency = former.emergency;
  fresh.emergency.port = now.port;
  fresh.emergency.direct_after_s = now.direct_after_s;
  fresh.emergency.undelivered_after_s = now.undelivered_after_s;
  fresh.watch = former.watch;
}

std::string sample_gateway_config() {
  raw_config raw;
  return gateway_schema(raw).sample();
}

std::string replay_refusal(const gateway_config& c) {
  for (const auto& relay : c.relays)
    if (!on_loopback(relay.host)) return "relay.addresses: " + relay.host + " is not on loopback (127.0.0.0/8, ::1, localhost)";
  if (!on_this_machine(c.direct.guard)) return "guard.receivers must be on loopback";
  if (!c.echonet.enabled) return {};
  if (c.echonet.interface != "lo") return "echonet.interface must be \"lo\"";
  if (!on_loopback(c.echonet.bind_address)) return "echonet.bind_address must be in 127.0.0.0/8";
  return {};
}

}  // namespace tomoshibi::firmware
