#include "relay/ctl/appliance_class.hpp"

#include "relay/ctl/parse.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstdio>

namespace tomoshibi::ctl {
namespace {

struct known_class {
  std::string_view name;
  std::uint32_t eoj;  // instance 0
  std::string_view on;
};

// The energy sensor only measures: what counts as ON must be said in watts.
constexpr std::array<known_class, 8> classes = {{
    {"tv", 0x060200, "operation"},
    {"rice-cooker", 0x03bb00, "operation"},
    {"microwave", 0x03b800, "operation"},
    {"refrigerator", 0x03b700, "operation"},
    {"motion", 0x000700, "sensor"},
    {"door", 0x002900, "sensor"},
    {"energy", 0x002200, ""},
    {"switch", 0x05fd00, "operation"},
}};

const known_class* find(std::uint32_t eoj) {
  for (const auto& c : classes)
    if (c.eoj == (eoj & 0xffff00)) return &c;
  return nullptr;
}

std::unexpected<error> bad(std::string_view option, std::string_view allowed) {
  return fail(errc::config_invalid, std::string(option) + ": " + std::string(allowed));
}

bool hex(std::string_view text) {
  for (char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
  return true;
}

}  // namespace

result<std::uint32_t> parse_class(std::string_view option, std::string_view text) {
  std::string allowed;
  for (const auto& c : classes) {
    if (c.name == text) return c.eoj;
    allowed += std::string(c.name) + ", ";
  }
  allowed += "or an ECHONET object 0xGGCC or 0xGGCCII (group, class, instance)";
  if (!text.starts_with("0x") || (text.size() != 6 && text.size() != 8) || !hex(text.substr(2)))
    return bad(option, allowed);
  std::uint32_t eoj = 0;
  std::from_chars(text.data() + 2, text.data() + text.size(), eoj, 16);
  if (text.size() == 6) eoj <<= 8;
  if (eoj < 0x100 || (eoj >> 16) == 0x0e) return bad(option, allowed + "; group 0E is for profiles, not appliances");
  return eoj;
}

std::string class_name(std::uint32_t eoj) {
  const known_class* c = find(eoj);
  char text[16];
  std::snprintf(text, sizeof text, "0x%06x", eoj);
  if (c == nullptr) return text;
  if ((eoj & 0xff) == 0) return std::string(c->name);
  return std::string(c->name) + " instance " + std::to_string(eoj & 0xff);
}

status parse_on_rule(std::string_view option, std::string_view text, wire::watched_appliance& into) {
  static constexpr const char* allowed = "operation (its own switch), sensor (its detection), or watts:N (more than N watts)";
  const known_class* c = find(into.eoj);
  if (text.empty()) text = c == nullptr ? "operation" : c->on;
  into.watts_above = 0;
  if (text == "operation") {
    into.on_rule = wire::on_rule_kind::operation_status;
  } else if (text == "sensor") {
    into.on_rule = wire::on_rule_kind::sensor_state;
  } else if (text.starts_with("watts:")) {
    const auto watts = parse_integer(option, text.substr(6), 0, watts_max);
    if (!watts) return std::unexpected(watts.error());
    into.on_rule = wire::on_rule_kind::watts_above;
    into.watts_above = static_cast<std::uint32_t>(*watts);
  } else if (text.empty()) {
    return bad(option, "an energy sensor only measures: say watts:N, the watts above which the appliance is in use");
  } else {
    return bad(option, allowed);
  }
  return {};
}

status check_on_rule(std::string_view option, const wire::watched_appliance& a) {
  const known_class* c = find(a.eoj);
  if (c == nullptr) return {};
  if (c->on == "sensor" && a.on_rule == wire::on_rule_kind::watts_above)
    return bad(option, "a " + std::string(c->name) + " sensor measures no watts; sensor (its detection) or operation (its own switch)");
  return {};
}

std::string on_rule_name(const wire::watched_appliance& a) {
  switch (a.on_rule) {
    case wire::on_rule_kind::operation_status: return "operation";
    case wire::on_rule_kind::sensor_state: return "sensor";
    case wire::on_rule_kind::watts_above: return "watts:" + std::to_string(a.watts_above);
  }
  return "unlisted";
}

result<std::string> parse_node(std::string_view option, std::string_view text) {
  if (text.empty() || text == "any") return std::string{};
  if (text.size() == 34 && hex(text)) {
    std::string lower(text);
    for (char& c : lower)
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return lower;
  }
  const std::string address(text.starts_with("ip:") ? text.substr(3) : "");
  unsigned char parsed[16];
  if (inet_pton(AF_INET, address.c_str(), parsed) == 1 || inet_pton(AF_INET6, address.c_str(), parsed) == 1)
    return std::string(text);
  return bad(option, "34 hex digits of the node's property 0x83, ip:ADDRESS for a node without one, or any");
}

}  // namespace tomoshibi::ctl
