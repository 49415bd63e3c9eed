#include "tools/home/mapping.hpp"

#include "protocol/adapters/toml_reader.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace tomoshibi::home {
namespace {

std::string classes_text() {
  std::string out;
  for (const playable_class& c : playable_classes()) {
    char code[8];
    std::snprintf(code, sizeof code, "%04x", static_cast<unsigned>(c.code));
    out += (out.empty() ? "" : ", ") + std::string(code) + " " + std::string(c.name);
  }
  return out;
}

std::optional<drivers::echonet::eoj> parse_eoj(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 6 || ec != std::errc{} || end != text.data() + text.size()) return {};
  const drivers::echonet::eoj out{value};
  const auto classes = playable_classes();
  if (out.instance() == 0 || out.instance() > 0x7f) return {};
  if (std::ranges::find(classes, out.code(), &playable_class::code) == classes.end()) return {};
  return out;
}

bool is_own_address(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 && address.s_addr != 0 &&
         !IN_MULTICAST(ntohl(address.s_addr));
}

std::string address_allowed(const config_value& v) {
  return is_own_address(std::get<std::string>(v)) ? "" : "an IPv4 address of this machine, like 127.0.0.11";
}

std::string eoj_allowed(const config_value& v) {
  if (parse_eoj(std::get<std::string>(v))) return "";
  return "6 hexadecimal digits, instance 01 to 7f, of one of these classes: " + classes_text();
}

void declare_node(config_table& t, mapped_node& n) {
  t.text("name", n.name, {1, 32}).required().help("How devices and fault scripts call it.").example("\"kitchen\"");
  t.text("address", n.address, {7, 15}).check(address_allowed)
      .help("Its own address on this machine; two nodes cannot share one.");
  t.integer("number", n.number, 0, 0x7fff'ffff).help("Makes its identity (property 0x83). 0: its place in this file.");
  t.integer("answer_delay_ms", n.answer_delay_ms, 0, 60'000).help("How long it takes to answer.");
}

void declare_device(config_table& t, mapped_device& d) {
  t.text("node", d.node, {1, 32}).required().help("The node that it lives in.").example("\"kitchen\"");
  t.text("eoj", d.eoj_text, {6, 6}).required().check(eoj_allowed).help("Class and instance.").example("\"03b701\"");
  t.text("channel", d.channel, {0, 64}).help("The record's channel that it follows. Emergency buttons and first-aid sensors may "
                                              "have none: they are pressed by hand only (--control).")
      .example("\"fridge-door\"");
  t.choice("meaning", d.meaning,
           {{"event", channel_meaning::event}, {"on_off", channel_meaning::on_off}, {"watts", channel_meaning::watts}})
      .help("event: value 1 says that something happened, and the device is in use for hold_s seconds. on_off: value 1 "
            "begins the use, 0 ends it. watts: the value is the load; in use while above 0.");
  t.integer("hold_s", d.hold_s, 1, hold_s_max).help("With meaning event: seconds of use after an event.");
  t.boolean("announce", d.announce)
      .help("Tells changes by itself, also where its class leaves that open. false: only what the class demands.");
  t.integer("watts_idle", d.watts_idle, 0, 65'533).help("Metered classes: load while not in use.");
  t.integer("watts_used", d.watts_used, 0, 65'533).help("Metered classes: load while in use.");
}

// Classes 0x0003 and 0x0004: somebody presses them.
bool is_button(const mapped_device& d) { return d.eoj_text.starts_with("0003") || d.eoj_text.starts_with("0004"); }

void check_whole(const mapping& m, std::vector<std::string>& wrong) {
  std::set<std::string> names, addresses;
  for (const mapped_node& n : m.nodes) {
    if (!names.insert(n.name).second) wrong.push_back("node.name: '" + n.name + "' is there twice");
    if (!addresses.insert(n.address).second) wrong.push_back("node.address: '" + n.address + "' is there twice");
  }
  std::set<std::pair<std::string, std::string>> objects;
  for (const mapped_device& d : m.devices) {
    if (!names.contains(d.node)) wrong.push_back("device.node: '" + d.node + "' is not a name of a [[node]]");
    if (!objects.emplace(d.node, d.eoj_text).second)
      wrong.push_back("device.eoj: '" + d.eoj_text + "' is there twice in node '" + d.node + "'");
    if (d.channel.empty() && !is_button(d))
      wrong.push_back("device.channel: '" + d.eoj_text + "' in node '" + d.node + "': a channel is needed");
  }
  if (m.nodes.empty()) wrong.push_back("node: at least one [[node]] is needed");
  if (m.devices.empty()) wrong.push_back("device: at least one [[device]] is needed");
}

config_schema schema_of(mapping& m) {
  config_schema schema("Which ECHONET Lite device each channel of a record becomes (tomoshibi-home --map).");
  schema.table("", "").text("interface", m.interface, {0, 15})
      .help("Network interface for multicast. Empty: the one that the system's routes choose.");
  schema.tables<mapped_node>("node", m.nodes, nodes_max, "One for each ECHONET Lite node.", declare_node);
  schema.tables<mapped_device>("device", m.devices, devices_max, "One for each device object.", declare_device);
  schema.check_all([&m](std::vector<std::string>& wrong) { check_whole(m, wrong); });
  return schema;
}

result<mapping> finished(mapping& m, const status& read) {
  if (!read) return std::unexpected(read.error());
  std::uint32_t place = 0;
  for (mapped_node& n : m.nodes) {
    ++place;
    if (n.number == 0) n.number = place;
  }
  for (mapped_device& d : m.devices) d.eoj = *parse_eoj(d.eoj_text);
  return std::move(m);
}

}  // namespace

result<mapping> read_mapping(const std::string& path) {
  mapping m;
  return finished(m, schema_of(m).read_file(path));
}

result<mapping> parse_mapping(std::string_view toml, const std::string& file) {
  mapping m;
  return finished(m, schema_of(m).read_text(toml, file));
}

std::string mapping_sample() {
  mapping m;
  return schema_of(m).sample();
}

std::vector<playable_class> playable_classes() {
  return {{0x0602, "television"},     {0x03bb, "rice cooker"},        {0x03b8, "microwave oven"},
          {0x03b7, "refrigerator"},   {0x0007, "motion sensor"},      {0x0029, "open/close sensor"},
          {0x0003, "emergency button"}, {0x0004, "first-aid sensor"}, {0x0022, "electric energy sensor"}, {0x05fd, "switch"}};
}

}  // namespace tomoshibi::home
