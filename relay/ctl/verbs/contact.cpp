#include "relay/core/mail_address.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/ctl/watch_check.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

const std::vector<argument> settings = {
    {"--lang", option, "Language of the mails: ja or en (ja)"},
    {"--quiet", option, "Hours of the home's clock in which mail that is not urgent waits, like 22:00-07:00, or none (none)"},
};

status read_settings(const context& c, relay::contact& k) {
  if (c.has("--name")) {
    const auto name = parse_name("--name", c.text("--name"), contact_name_bytes_max);
    if (!name) return std::unexpected(name.error());
    k.name = *name;
  }
  if (c.has("--mail")) {
    if (auto ok = relay::check_mail_address(c.text("--mail")); !ok)
      return fail(errc::config_invalid, "--mail: " + ok.error().detail);
    k.address = c.text("--mail");
  }
  if (c.has("--role")) {
    const auto role = parse_role("--role", c.text("--role"));
    if (!role) return std::unexpected(role.error());
    k.role = *role;
  }
  if (c.has("--lang")) {
    const auto lang = parse_language("--lang", c.text("--lang"));
    if (!lang) return std::unexpected(lang.error());
    k.lang = *lang;
  }
  if (c.has("--quiet")) {
    const auto quiet = parse_quiet_hours("--quiet", c.text("--quiet"));
    if (!quiet) return std::unexpected(quiet.error());
    k.quiet = *quiet;
  }
  return {};
}

status add(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  relay::contact k;
  if (c.has("HOME") == c.has("--provider"))
    return fail(errc::config_invalid, "give a HOME, or --provider for one of the provider's own people who hears of all homes");
  if (c.has("HOME")) {
    const auto h = r->find_home(c.text("HOME"));
    if (!h) return std::unexpected(h.error());
    k.home = h->id;
  } else {
    k.role = relay::contact_role::provider;
  }
  if (auto ok = read_settings(c, k); !ok) return ok;
  if (!k.home && k.role == relay::contact_role::family)
    return fail(errc::config_invalid, "--role: a family contact belongs to a HOME");
  for (const auto& [id, other] : r->directory().contacts)
    if (other.home == k.home && other.address == k.address && other.role == k.role)
      return fail(errc::already_exists, "contact " + shown(id) + " already has this address");
  return change(c, *r, [&]() -> status {
    const auto id = relay::add_contact(r->db(), k);
    if (!id) return std::unexpected(id.error());
    c.say("contact " + shown(*id) + " added");
    return {};
  });
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  std::optional<home_id> only;
  if (c.has("HOME")) {
    const auto h = r->find_home(c.text("HOME"));
    if (!h) return std::unexpected(h.error());
    only = h->id;
  }
  text_table t({"CONTACT", "HOME", "ROLE", "NAME", "MAIL", "LANG", "QUIET"});
  for (const auto& [id, k] : r->directory().contacts) {
    if (only && k.home != only) continue;
    const std::optional<std::uint32_t> home = k.home ? std::optional(static_cast<std::uint32_t>(*k.home)) : std::nullopt;
    if (c.has("--json"))
      c.say(json_object().add("contact", static_cast<std::uint32_t>(id)).add("home", home).add("role", name_of(k.role))
                .add("name", k.name).add("mail", k.address).add("lang", name_of(k.lang))
                .add("quiet", format_quiet_hours(k.quiet)).text());
    t.row({shown(id), home ? std::to_string(*home) : "all", std::string(name_of(k.role)), k.name, k.address,
           std::string(name_of(k.lang)), format_quiet_hours(k.quiet)});
  }
  if (!c.has("--json")) c.out += t.empty() ? "no contacts\n" : t.text();
  return {};
}

// A home in watch mode keeps somebody to tell.
status keeps_recipient(const registry& r, const relay::contact& changed, bool gone) {
  if (!changed.home) return {};
  const auto h = r.directory().homes.find(*changed.home);
  if (h == r.directory().homes.end() || !h->second.watch_mode) return {};
  auto contacts = r.contacts_of(*changed.home);
  for (auto& k : contacts)
    if (k.id == changed.id) k = changed;
  if (gone) std::erase_if(contacts, [&changed](const relay::contact& k) { return k.id == changed.id; });
  if (has_family_recipient(contacts)) return {};
  return fail(errc::refused, "home " + shown(*changed.home) +
                                 " is in watch mode and nobody of the family would be told any more; add another family "
                                 "contact first, or switch 'watch off " + shown(*changed.home) + "'");
}

status change_contact(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto k = r->find_contact(c.text("CONTACT"));
  if (!k) return std::unexpected(k.error());
  bool asked = false;
  for (const char* name : {"--name", "--mail", "--role", "--lang", "--quiet"}) asked = asked || c.has(name);
  if (!asked) return fail(errc::config_invalid, "nothing to change; see: tomoshibi-ctl contact change --help");
  if (auto ok = read_settings(c, *k); !ok) return ok;
  if (!k->home && k->role == relay::contact_role::family)
    return fail(errc::config_invalid, "--role: a family contact belongs to a home");
  if (auto ok = keeps_recipient(*r, *k, false); !ok) return ok;
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::change_contact(r->db(), *k); !ok) return ok;
    c.say("contact " + shown(k->id) + " changed");
    return {};
  });
}

status remove(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto k = r->find_contact(c.text("CONTACT"));
  if (!k) return std::unexpected(k.error());
  if (auto ok = keeps_recipient(*r, *k, true); !ok) return ok;
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::remove_contact(r->db(), k->id); !ok) return ok;
    c.say("contact " + shown(k->id) + " removed");
    return {};
  });
}

std::vector<argument> with_settings(std::vector<argument> first) {
  first.insert(first.end(), settings.begin(), settings.end());
  return first;
}

}  // namespace

verb_list contact_verbs() {
  const argument contact{"CONTACT", positional, "Number"};
  return {
      {"contact", "add", "Somebody who gets mail about a home, or about all homes (--provider)",
       with_settings({{"HOME", optional_positional, "Number or name"},
                      {"--provider", flag, "One of the provider's own people, for all homes"},
                      {"--name", required_option, "1 to 80 bytes"},
                      {"--mail", required_option, "Mail address: local@domain in ASCII"},
                      {"--role", option, "family (told about the resident) or provider (told about failures) (family)"}}),
       "  contact add 1 --name 花子 --mail hanako@example.org --quiet 22:00-07:00\n"
       "  contact add --provider --name Helpdesk --mail help@example.com --lang en",
       add},
      {"contact", "list", "Contacts of a home, or all",
       {{"HOME", optional_positional, "Number or name"}, {"--json", flag, "One JSON object a line"}}, "", list},
      {"contact", "change", "Change a contact",
       with_settings({contact, {"--name", option, "New name"}, {"--mail", option, "New mail address"},
                      {"--role", option, "family or provider"}}),
       "  contact change 3 --mail hanako@example.com --quiet none", change_contact},
      {"contact", "remove", "Remove a contact; mails that still wait for it are cancelled", {contact}, "", remove},
  };
}

}  // namespace tomoshibi::ctl
