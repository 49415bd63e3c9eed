#include "relay/ctl/appliance_class.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

// Slots are closed every 15 minutes and presence takes 90 s: a shorter time would tell of nothing but waiting.
constexpr millis blind_min = 45min;
constexpr millis blind_max = 30 * 24h;

const std::vector<argument> settings = {
    {"--zone", option, "The home's offset from UTC, +09:00 if not given (a minus: --zone=-03:00)"},
    {"--poll", option, "Seconds between two readings of an appliance, 1 to 900 (60)"},
    {"--gap", option, "Seconds without a reading after which data counts as missing, --poll to 3600 (180)"},
    {"--blind-family", option, "How long nothing can be seen before the family is told, 45m to 30d (6h)"},
    {"--blind-provider", option, "The same for the provider's people (1h)"},
};

status read_settings(const context& c, relay::home& h, relay::config_settings& s) {
  if (c.has("--zone")) {
    const auto zone = parse_zone("--zone", c.text("--zone"));
    if (!zone) return std::unexpected(zone.error());
    h.zone_min = *zone;
  }
  if (c.has("--poll")) {
    const auto poll = parse_integer("--poll", c.text("--poll"), 1, 900);
    if (!poll) return std::unexpected(poll.error());
    s.poll_interval_s = static_cast<std::uint32_t>(*poll);
    s.gap_limit_s = std::max(s.gap_limit_s, s.poll_interval_s);
  }
  if (c.has("--gap")) {
    const auto gap = parse_integer("--gap", c.text("--gap"), s.poll_interval_s, 3600);
    if (!gap) return std::unexpected(gap.error());
    s.gap_limit_s = static_cast<std::uint32_t>(*gap);
  }
  for (auto [name, into] : {std::pair{"--blind-family", &h.blind_family_after},
                            std::pair{"--blind-provider", &h.blind_provider_after}}) {
    if (!c.has(name)) continue;
    const auto d = parse_duration(name, c.text(name), blind_min, blind_max);
    if (!d) return std::unexpected(d.error());
    *into = *d;
  }
  return {};
}

status add(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto name = parse_name("NAME", c.text("NAME"), home_name_bytes_max);
  if (!name) return std::unexpected(name.error());
  relay::home h;
  h.name = *name;
  relay::config_settings s;
  if (auto ok = read_settings(c, h, s); !ok) return ok;
  return change(c, *r, [&]() -> status {
    const auto id = relay::add_home(r->db(), h, s, c.now);
    if (!id) return std::unexpected(id.error());
    c.say("home " + shown(*id) + " added");
    return {};
  });
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  text_table t({"HOME", "NAME", "ZONE", "WATCH", "GATEWAYS", "APPLIANCES", "CONTACTS"});
  for (const auto& [id, h] : r->directory().homes) {
    if (c.has("--json")) {
      c.say(json_object().add("home", static_cast<std::uint32_t>(id)).add("name", h.name).add("zone", format_zone(h.zone_min))
                .add("watch", h.watch_mode).text());
      continue;
    }
    t.row({shown(id), h.name, format_zone(h.zone_min), h.watch_mode ? "on" : "off",
           std::to_string(r->gateways_of(id).size()), std::to_string(r->appliances_of(id).size()),
           std::to_string(r->contacts_of(id).size())});
  }
  if (!c.has("--json")) c.out += t.empty() ? "no homes yet; add one: tomoshibi-ctl home add NAME\n" : t.text();
  return {};
}

status show(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto s = r->settings_of(h->id);
  c.say("home " + shown(h->id) + "  " + h->name);
  c.say("  zone            " + format_zone(h->zone_min));
  c.say("  watch mode      " + (h->watch_mode ? "on since " + format_local(h->watch_since, h->zone_min) : "off"));
  c.say("  told when blind family after " + format_duration(h->blind_family_after) + ", provider after " +
        format_duration(h->blind_provider_after));
  c.say("  configuration   version " + std::to_string(r->directory().configs.at(h->id).version) + ", poll " +
        std::to_string(s.poll_interval_s) + " s, gap " + std::to_string(s.gap_limit_s) + " s");
  for (const auto& g : r->gateways_of(h->id))
    c.say("  gateway         " + g.id.text() +
          (g.revoked ? " (revoked)" : g.certificate_sha256.empty() ? " (not enrolled)" : ""));
  for (const auto& a : r->appliances_of(h->id))
    c.say("  appliance " + padded(shown(a.spec.appliance), 6) + a.spec.label + ", " + class_name(a.spec.eoj) + ", on: " +
          on_rule_name(a.spec) + (a.quiet_days ? ", told after " + std::to_string(*a.quiet_days) + " days" : ", no rule"));
  for (const auto& k : r->contacts_of(h->id))
    c.say("  contact " + padded(shown(k.id), 8) + k.name + ", " + std::string(name_of(k.role)));
  return {};
}

bool asks_anything(const context& c) {
  for (const char* name : {"--name", "--zone", "--poll", "--gap", "--blind-family", "--blind-provider"})
    if (c.has(name)) return true;
  return false;
}

status change_home(context& c) {
  if (!asks_anything(c)) return fail(errc::config_invalid, "nothing to change; see: tomoshibi-ctl home change --help");
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  auto s = r->settings_of(h->id);
  const auto before = s;
  if (c.has("--name")) {
    const auto name = parse_name("--name", c.text("--name"), home_name_bytes_max);
    if (!name) return std::unexpected(name.error());
    h->name = *name;
  }
  if (auto ok = read_settings(c, *h, s); !ok) return ok;
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::change_home(r->db(), *h, s); !ok) return ok;
    const bool config_changed = s.poll_interval_s != before.poll_interval_s || s.gap_limit_s != before.gap_limit_s;
    if (config_changed)
      if (auto ok = relay::bump_config(r->db(), h->id); !ok) return ok;
    c.say("home " + shown(h->id) + " changed");
    return {};
  });
}

result<bool> has_history(sqlite_db& db, home_id home) {
  auto s = db.prepare("SELECT 1 FROM day WHERE home = ?1 UNION ALL SELECT 1 FROM episode WHERE home = ?1 LIMIT 1");
  if (!s) return std::unexpected(s.error());
  return s->bind(1, static_cast<std::uint32_t>(home)).step();
}

status remove(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto history = has_history(r->db(), h->id);
  if (!history) return std::unexpected(history.error());
  const std::string id = shown(h->id);
  if (*history)
    return fail(errc::refused, "home " + id + " has a history; keep a copy with 'export " + id + " FOLDER', then 'erase " +
                                   id + " --yes'");
  if (!r->gateways_of(h->id).empty() || !r->contacts_of(h->id).empty() || !r->appliances_of(h->id).empty())
    return fail(errc::refused, "home " + id + " still has gateways, appliances or contacts; remove them first, or use 'erase " +
                                   id + " --yes'");
  if (r->directory().guards.contains(h->id))
    return fail(errc::refused, "home " + id + " has an account at the guard centre; remove it first: guard remove " + id);
  return change(c, *r, [&]() -> status {
    auto s = r->db().prepare("DELETE FROM appliance WHERE home = ?1");  // removed ones without history
    if (!s) return std::unexpected(s.error());
    if (auto ok = s->bind(1, static_cast<std::uint32_t>(h->id)).run(); !ok) return ok;
    if (auto ok = relay::remove_home(r->db(), h->id); !ok) return ok;
    c.say("home " + id + " removed");
    return {};
  });
}

std::vector<argument> with_settings(std::vector<argument> first) {
  first.insert(first.end(), settings.begin(), settings.end());
  return first;
}

}  // namespace

verb_list home_verbs() {
  return {
      {"home", "add", "Register a home", with_settings({{"NAME", positional, "Shown in mails, 1 to 80 bytes"}}),
       "  home add '田中 松江'\n  home add Lisbon --zone +00:00 --blind-family 12h", add},
      {"home", "list", "All homes", {{"--json", flag, "One JSON object a line"}}, "", list},
      {"home", "show", "One home with everything registered for it", {{"HOME", positional, "Number or name"}},
       "  home show 1", show},
      {"home", "change", "Change a home's name or settings",
       with_settings({{"HOME", positional, "Number or name"}, {"--name", option, "New name"}}),
       "  home change 1 --name '田中 (松江市)' --poll 30", change_home},
      {"home", "remove", "Remove a home that was registered by mistake (no history)",
       {{"HOME", positional, "Number or name"}}, "", remove},
  };
}

}  // namespace tomoshibi::ctl
