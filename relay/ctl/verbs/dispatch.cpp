#include "relay/ctl/emergency_wait.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/ports/emergency_book.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

// Somebody is sent to a door: the home's whole name has to be written, a slip of one digit must not be enough.
status confirmed(const context& c, const relay::home& h) {
  if (c.text("--confirm") == h.name) return {};
  return fail(errc::refused, "--confirm: not the name of home " + shown(h.id) +
                                 "; nobody was asked. To ask for a visit there: --confirm '" + h.name + "'");
}

status follow(context& c, std::uint64_t id, millis patience) {
  auto watch = book_watch::open(c, patience);
  if (!watch) return std::unexpected(watch.error());
  do {
    const auto d = watch->book().find_dispatch(relay::dispatch_id{id});
    if (!d) return std::unexpected(d.error());
    if (*d && (*d)->accepted) {
      watch->tell("the guard centre has acknowledged the request");
      c.say("the guard centre has the request; what it does now follows the agreement with it");
      return {};
    }
  } while (watch->again());
  return fail(errc::net_timeout, "NOT ACKNOWLEDGED yet by the guard centre; the relay goes on trying. Telephone the centre, or 119 / 110");
}

status dispatch(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  auto who = parse_name("--who", c.text("--who"), relay::who_bytes_max);
  if (!who) return std::unexpected(who.error());
  auto reason = parse_name("--reason", c.text("--reason"), relay::reason_bytes_max);
  if (!reason) return std::unexpected(reason.error());
  const auto patience = read_timeout(c, "60");
  if (!patience) return std::unexpected(patience.error());
  if (auto ok = has_account(*r, h->id); !ok) return ok;
  if (auto ok = confirmed(c, *h); !ok) return ok;
  const auto id = ask_emergency(c, relay::ask_dispatch{h->id, std::move(*who), std::move(*reason)});
  if (!id) return std::unexpected(id.error());
  context::say_now("asked for a visit to home " + shown(h->id) + "; waiting for the guard centre");
  return follow(c, *id, *patience);
}

}  // namespace

verb_list dispatch_verbs() {
  return {{"", "dispatch", "Ask the guard centre, for the family, to visit a home. REAL: not a test",
           {{"HOME", positional, "Number or name"},
            {"--who", required_option, "Who asks, 1 to 120 bytes; kept in the book and told to the family, not to the centre"},
            {"--reason", required_option, "Why, 1 to 400 bytes; likewise"},
            {"--confirm", required_option, "The home's whole name, as it is registered"},
            {"--timeout", option, "Seconds to wait for the centre at most, 1 to 600 (60)"}},
           "  dispatch 1 --who '花子 (daughter)' --reason 'does not answer since noon' --confirm '田中 松江'", dispatch}};
}

}  // namespace tomoshibi::ctl
