#include "relay/ctl/emergency_wait.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/secret_file.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

std::string cipher_name(const relay::guard_account& a) {
  return a.key_hex.empty() ? "none" : "AES-" + std::to_string(a.key_hex.size() * 4);
}

status read_account(const context& c, relay::guard_account& a) {
  if (c.has("--account")) {
    auto number = parse_guard_account("--account", c.text("--account"));
    if (!number) return std::unexpected(number.error());
    // A key belongs to an account: the former one's would make every frame of the new one unreadable.
    if (a.account != *number) a.key_hex.clear();
    a.account = std::move(*number);
  }
  if (a.account.empty()) return fail(errc::config_invalid, "--account: this home has none yet; give the number that the guard centre gave");
  if (c.has("--key-file") && c.has("--no-key")) return fail(errc::config_invalid, "give --key-file or --no-key, not both");
  if (c.has("--no-key")) a.key_hex.clear();
  if (c.has("--key-file")) {
    const auto text = relay::read_secret("--key-file", c.text("--key-file"));
    if (!text) return std::unexpected(text.error());
    auto key = parse_guard_key("--key-file", *text);
    if (!key) return std::unexpected(key.error());
    a.key_hex = std::move(*key);
  }
  return {};
}

status read_inactivity(const context& c, relay::guard_account& a) {
  if (c.has("--send-inactivity") && c.has("--no-inactivity"))
    return fail(errc::config_invalid, "give --send-inactivity or --no-inactivity, not both");
  if (c.has("--send-inactivity")) a.send_inactivity = true;
  if (c.has("--no-inactivity")) a.send_inactivity = false;
  return {};
}

status set(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  relay::guard_account a;
  if (const auto had = r->directory().guards.find(h->id); had != r->directory().guards.end()) a = had->second;
  const relay::guard_account before = a;
  if (auto ok = read_account(c, a); !ok) return ok;
  if (auto ok = read_inactivity(c, a); !ok) return ok;
  if (!before.key_hex.empty() && a.key_hex.empty() && !c.has("--no-key"))
    c.note += "tomoshibi-ctl: the key of account " + before.account + " is not used for account " + a.account +
              "; if that has one, give it with --key-file\n";
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::set_guard_account(r->db(), h->id, a, c.now); !ok) return ok;
    c.say("home " + shown(h->id) + " is account " + a.account + " at the guard centre, key: " + cipher_name(a) +
          ", three-day alert: " + (a.send_inactivity ? "sent" : "not sent"));
    c.say("next: guard test " + shown(h->id) + "   and, from the box itself: drill " + shown(h->id) + " --wait");
    return {};
  });
}

// The home that was named, which must have an account; nothing: none was named, all are meant.
result<std::optional<home_id>> find_home_with_account(const context& c, registry& r) {
  if (!c.has("HOME")) return std::nullopt;
  const auto h = r.find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  if (auto ok = has_account(r, h->id); !ok) return std::unexpected(ok.error());
  return h->id;
}

status show(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto only = find_home_with_account(c, *r);
  if (!only) return std::unexpected(only.error());
  text_table t({"HOME", "NAME", "ACCOUNT", "KEY", "THREE-DAY ALERT"});
  for (const auto& [id, a] : r->directory().guards) {
    if (*only && id != **only) continue;
    const auto& name = r->directory().homes.at(id).name;
    if (c.has("--json"))
      c.say(json_object().add("home", static_cast<std::uint32_t>(id)).add("name", name).add("account", a.account)
                .add("key", cipher_name(a)).add("send_inactivity", a.send_inactivity).text());
    t.row({shown(id), name, a.account, cipher_name(a), a.send_inactivity ? "sent" : "not sent"});
  }
  if (!c.has("--json"))
    c.out += t.empty() ? "no home has an account at a guard centre yet; add one: tomoshibi-ctl guard set HOME --account A\n" : t.text();
  return {};
}

status remove(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto had = r->directory().guards.find(h->id);
  if (had == r->directory().guards.end())
    return fail(errc::not_found, "home " + shown(h->id) + " has no account at the guard centre");
  return change(c, *r, [&]() -> status {
    if (auto ok = relay::remove_guard_account(r->db(), h->id); !ok) return ok;
    c.say("home " + shown(h->id) + " is account " + had->second.account + " no more: its presses do not reach the guard centre");
    return {};
  });
}

// The event of one id, which was made just now.
result<std::optional<relay::guard_event_row>> find_event(relay::emergency_book& book, std::uint64_t id, wall_at now) {
  auto rows = book.events(now - 1h, now + 1h, relay::emergency_rows_max);
  if (!rows) return std::unexpected(rows.error());
  for (auto& e : *rows)
    if (static_cast<std::uint64_t>(e.id) == id) return std::optional{std::move(e)};
  return std::nullopt;
}

status test_one(context& c, const relay::home& h, const relay::guard_account& a, millis patience) {
  const auto id = ask_emergency(c, relay::ask_guard_test{h.id});
  if (!id) return std::unexpected(id.error());
  auto watch = book_watch::open(c, patience);
  if (!watch) return std::unexpected(watch.error());
  const std::string who = "account " + a.account + " (home " + shown(h.id) + ")";
  do {
    const auto e = find_event(watch->book(), *id, c.now);
    if (!e) return std::unexpected(e.error());
    if (!*e || (*e)->state == relay::guard_event_state::waiting) continue;
    if ((*e)->state == relay::guard_event_state::delivered) {
      watch->tell(who + ": receiver " + std::to_string((*e)->receiver) + " acknowledged the test, number " +
                  std::to_string((*e)->sequence));
      return {};
    }
    return fail(errc::refused, who + ": every receiver REFUSES the test; does the centre know this account, and the event 601?");
  } while (watch->again());
  return fail(errc::net_timeout, who + ": NO ACKNOWLEDGEMENT. Is the centre's address right, its certificate, the account's key? "
                                       "The relay's log says what it hears (mod=guard)");
}

status test(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto only = find_home_with_account(c, *r);
  if (!only) return std::unexpected(only.error());
  if (r->directory().guards.empty())
    return fail(errc::not_found, "no home has an account at a guard centre yet; see: tomoshibi-ctl guard set --help");
  const auto patience = read_timeout(c, "30");
  if (!patience) return std::unexpected(patience.error());
  for (const auto& [id, a] : r->directory().guards) {
    if (*only && id != **only) continue;
    if (auto ok = test_one(c, r->directory().homes.at(id), a, *patience); !ok) return ok;
  }
  c.say("the line to the guard centre works");
  return {};
}

}  // namespace

verb_list guard_verbs() {
  const argument home{"HOME", positional, "Number or name"};
  return {
      {"guard", "set", "Say how a home is known at the guard centre; what is not named stays as it is",
       {home,
        {"--account", option, "The number that the centre gave, 3 to 16 hexadecimal digits; one home each"},
        {"--key-file", option, "File, or - for standard input: the account's key in its only line, 32, 48 or 64 hexadecimal digits"},
        {"--no-key", flag, "The account has no key: frames are plain, inside TLS"},
        {"--send-inactivity", flag, "The three-day alert goes to the centre too"},
        {"--no-inactivity", flag, "It does not (so it is at first)"}},
       "  guard set 1 --account 0A12 --key-file ./0A12.key\n"
       "  pass show guard/0A12 | tomoshibi-ctl guard set 1 --account 0A12 --key-file -", set},
      {"guard", "show", "Accounts at the guard centre; keys are never shown",
       {{"HOME", optional_positional, "Number or name; without it all"}, {"--json", flag, "One JSON object a line"}}, "", show},
      {"guard", "test", "Send the guard centre a test (601) and wait for its acknowledgement; it moves nobody",
       {{"HOME", optional_positional, "Number or name; without it every account in turn"},
        {"--timeout", option, "Seconds to wait for each, 1 to 600 (30)"}}, "  guard test 1", test},
      {"guard", "remove", "Forget a home's account: its presses reach the relay and no further", {home}, "", remove},
  };
}

}  // namespace tomoshibi::ctl
