#include "relay/ctl/appliance_class.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

const std::vector<argument> settings = {
    {"--node", option, "Which node it is on: 34 hex digits of property 0x83, ip:ADDRESS, or any (any)"},
    {"--on", option, "What counts as ON: operation, sensor or watts:N (what is usual for the class)"},
    {"--power-max", option, "The most it can draw in W; a meter that rises faster was swapped (3000)"},
    {"--days", option, "Tell the family after so many days without use, 1 to 60"},
    {"--no-rule", flag, "Only record, never tell"},
};

// What add and change have in common, in an order in which each may refer to the one before.
status read_settings(const context& c, relay::appliance& a) {
  if (c.has("--node")) {
    const auto node = parse_node("--node", c.text("--node"));
    if (!node) return std::unexpected(node.error());
    a.spec.node = *node;
  }
  if (c.has("--on"))
    if (auto ok = parse_on_rule("--on", c.text("--on"), a.spec); !ok) return ok;
  if (c.has("--power-max")) {
    const auto watts = parse_integer("--power-max", c.text("--power-max"), 1, watts_max);
    if (!watts) return std::unexpected(watts.error());
    a.spec.power_w_max = static_cast<std::uint32_t>(*watts);
  }
  if (c.has("--days") && c.has("--no-rule"))
    return fail(errc::config_invalid, "--days and --no-rule contradict each other; give one of them");
  if (c.has("--no-rule")) a.quiet_days.reset();
  if (c.has("--days")) {
    const auto days = parse_integer("--days", c.text("--days"), 1, quiet_days_max);
    if (!days) return std::unexpected(days.error());
    a.quiet_days = static_cast<std::uint16_t>(*days);
  }
  return {};
}

bool same_class(std::uint32_t a, std::uint32_t b) {
  const bool any_instance = (a & 0xff) == 0 || (b & 0xff) == 0;
  return a >> 8 == b >> 8 && (any_instance || a == b);
}

// What would be recorded twice, could not be told apart, or never be ON.
status check_appliance(const registry& r, const relay::appliance& a) {
  if (auto ok = check_on_rule("--on", a.spec); !ok) return ok;
  for (const auto& other : r.appliances_of(a.home)) {
    if (other.spec.appliance == a.spec.appliance) continue;
    const std::string it = "appliance " + shown(other.spec.appliance) + " (" + other.spec.label + ")";
    if (other.spec.label == a.spec.label)
      return fail(errc::already_exists, it + " has this label; mails could not say which is meant: choose another");
    const bool any_node = other.spec.node.empty() && a.spec.node.empty();
    if (same_class(other.spec.eoj, a.spec.eoj) && any_node && other.spec.on_rule == a.spec.on_rule)
      return fail(errc::refused, it + " is of class " + class_name(other.spec.eoj) + " on any node, too: one device would count for " +
                                     "both. Give each its --node; see: tomoshibi-ctl device list " + shown(a.home));
  }
  return {};
}

status add(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  relay::appliance a;
  a.home = h->id;
  a.added = c.now;
  a.quiet_days = 3;  // the plan's three days
  const auto label = parse_name("LABEL", c.text("LABEL"), wire::label_bytes_max);
  if (!label) return std::unexpected(label.error());
  a.spec.label = *label;
  const auto eoj = parse_class("--class", c.text("--class"));
  if (!eoj) return std::unexpected(eoj.error());
  a.spec.eoj = *eoj;
  if (!c.has("--on"))
    if (auto ok = parse_on_rule("--on", "", a.spec); !ok) return ok;
  if (auto ok = read_settings(c, a); !ok) return ok;
  if (auto ok = check_appliance(*r, a); !ok) return ok;
  if (r->appliances_of(h->id).size() >= wire::appliances_max)
    return fail(errc::refused, "home " + shown(h->id) + " has " + std::to_string(wire::appliances_max) +
                                   " appliances, the most a gateway reports");
  return change(c, *r, [&]() -> status {
    const auto id = relay::add_appliance(r->db(), a);
    if (!id) return std::unexpected(id.error());
    if (auto ok = relay::bump_config(r->db(), h->id); !ok) return ok;
    c.say("appliance " + shown(*id) + " added to home " + shown(h->id));
    return {};
  });
}

std::string rule_name(const relay::appliance& a) {
  return a.quiet_days ? std::to_string(*a.quiet_days) + (*a.quiet_days == 1 ? " day" : " days") : "none";
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  text_table t({"ID", "LABEL", "CLASS", "ON WHEN", "RULE", "NODE"});
  for (const auto& a : r->appliances_of(h->id)) {
    if (c.has("--json"))
      c.say(json_object().add("home", static_cast<std::uint32_t>(h->id))
                .add("appliance", static_cast<std::uint16_t>(a.spec.appliance)).add("label", a.spec.label)
                .add("class", class_name(a.spec.eoj)).add("on", on_rule_name(a.spec)).add("days", a.quiet_days)
                .add("node", a.spec.node).text());
    t.row({shown(a.spec.appliance), a.spec.label, class_name(a.spec.eoj), on_rule_name(a.spec), rule_name(a),
           a.spec.node.empty() ? "any" : a.spec.node});
  }
  if (!c.has("--json")) c.out += t.empty() ? "no appliances in this home\n" : t.text();
  return {};
}

status change_appliance(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  auto a = r->find_appliance(h->id, c.text("APPLIANCE"));
  if (!a) return std::unexpected(a.error());
  const auto before = a->spec;
  const auto rule_before = a->quiet_days;
  if (c.has("--label")) {
    const auto label = parse_name("--label", c.text("--label"), wire::label_bytes_max);
    if (!label) return std::unexpected(label.error());
    a->spec.label = *label;
  }
  if (c.has("--class")) {
    const auto eoj = parse_class("--class", c.text("--class"));
    if (!eoj) return std::unexpected(eoj.error());
    a->spec.eoj = *eoj;
  }
  if (auto ok = read_settings(c, *a); !ok) return ok;
  if (auto ok = check_appliance(*r, *a); !ok) return ok;
  if (a->spec == before && a->quiet_days == rule_before)
    return fail(errc::config_invalid, "nothing to change; see: tomoshibi-ctl appliance change --help");
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::change_appliance(r->db(), *a); !ok) return ok;
    if (!(a->spec == before))
      if (auto ok = relay::bump_config(r->db(), h->id); !ok) return ok;
    c.say("appliance " + shown(a->spec.appliance) + " of home " + shown(h->id) + " changed");
    return {};
  });
}

status remove(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto a = r->find_appliance(h->id, c.text("APPLIANCE"));
  if (!a) return std::unexpected(a.error());
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::remove_appliance(r->db(), h->id, a->spec.appliance, c.now); !ok) return ok;
    if (auto ok = relay::bump_config(r->db(), h->id); !ok) return ok;
    c.say("appliance " + shown(a->spec.appliance) + " of home " + shown(h->id) + " removed; its history stays");
    return {};
  });
}

std::vector<argument> with_settings(std::vector<argument> first) {
  first.insert(first.end(), settings.begin(), settings.end());
  return first;
}

}  // namespace

verb_list appliance_verbs() {
  const argument home{"HOME", positional, "Number or name"};
  const argument appliance{"APPLIANCE", positional, "Number or label"};
  const std::string classes =
      "tv, rice-cooker, microwave, refrigerator, motion, door, energy, switch, or an ECHONET object 0xGGCC / 0xGGCCII";
  return {
      {"appliance", "add", "Watch an appliance or sensor (rule: 3 days unless told otherwise)",
       with_settings({home, {"LABEL", positional, "Shown in mails and tables, 1 to 48 bytes"},
                      {"--class", required_option, classes}}),
       "  appliance add 1 テレビ --class tv --days 3\n"
       "  appliance add 1 炊飯器 --class energy --on watts:15 --no-rule\n"
       "  appliance add 1 玄関 --class door --node fe00007700000000000000000000000001 --no-rule",
       add},
      {"appliance", "list", "The appliances of a home", {home, {"--json", flag, "One JSON object a line"}}, "", list},
      {"appliance", "change", "Change an appliance or its rule",
       with_settings({home, appliance, {"--label", option, "New label"}, {"--class", option, classes}}),
       "  appliance change 1 テレビ --days 2", change_appliance},
      {"appliance", "remove", "Stop watching an appliance; its number is never given again", {home, appliance}, "", remove},
  };
}

}  // namespace tomoshibi::ctl
