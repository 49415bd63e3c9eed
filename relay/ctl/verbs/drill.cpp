#include "protocol/dc09/press_signal.hpp"
#include "relay/ctl/emergency_view.hpp"
#include "relay/ctl/emergency_wait.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

// What was told of the drill's press so far.
struct told {
  bool press = false;
  bool accepted = false;
};

void tell_progress(const book_watch& watch, const relay::press_row& p, told& so_far) {
  if (!std::exchange(so_far.press, true)) watch.tell("the box made the press " + dc09::reference_of(p.id) + ", the relay has stored it");
  if (p.stage == press_stage::accepted && !std::exchange(so_far.accepted, true))
    watch.tell("the guard centre has acknowledged it, as a test");
}

status judge(context& c, const std::optional<relay::press_row>& p) {
  if (!p) return fail(errc::net_timeout, "the drill FAILED: no press came from the box");
  c.out += times_as_text(*p);
  if (p->stage != press_stage::accepted) return fail(errc::net_timeout, "the drill FAILED: the guard centre did not acknowledge it");
  if (p->was_undelivered) return fail(errc::net_timeout, "the drill FAILED: the box said NOT DELIVERED before the acknowledgement came");
  if (!p->reported) return fail(errc::net_timeout, "the drill FAILED: acknowledged, but the box did not report that it shows it");
  c.say("the drill went well: button, relay, guard centre and panel of this home work");
  return {};
}

// Until everything is there that a drill is for: the acknowledgement, and the box's report of what it shows.
status follow(context& c, std::uint64_t request, millis patience) {
  auto watch = book_watch::open(c, patience);
  if (!watch) return std::unexpected(watch.error());
  watch->tell("the relay has asked the box for a drill press");
  told so_far;
  for (;;) {
    const auto d = watch->book().find_drill(request);
    if (!d) return std::unexpected(d.error());
    std::optional<relay::press_row> press;
    if (*d && (*d)->press) {
      auto p = watch->book().find_press(*(*d)->press);
      if (!p) return std::unexpected(p.error());
      press = std::move(*p);
    }
    if (press) tell_progress(*watch, *press, so_far);
    if (*d && (drill_is_whole(**d, press) || watch->over())) return judge(c, press);
    if (!watch->again()) return fail(errc::net_timeout, "the drill FAILED: the relay did not write it down");
  }
}

status drill(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto patience = read_timeout(c, "60");
  if (!patience) return std::unexpected(patience.error());
  const auto gateways = r->gateways_of(h->id);
  if (std::ranges::none_of(gateways, [](const auto& g) { return !g.revoked; }))
    return fail(errc::refused, "home " + shown(h->id) + " has no gateway that could make a press");
  // Nobody could answer it, and the panel would end with "not delivered".
  if (auto ok = has_account(*r, h->id); !ok) return ok;
  const auto request = ask_emergency(c, relay::ask_drill{h->id});
  if (!request) return std::unexpected(request.error());
  if (c.has("--wait")) return follow(c, *request, *patience);
  c.say("drill asked of home " + shown(h->id) + "; it ends by itself. See: tomoshibi-ctl emergency list " + shown(h->id));
  return {};
}

}  // namespace

verb_list drill_verbs() {
  return {{"", "drill", "Let a home's box make a drill press: the whole way, marked as a test at every hop",
           {{"HOME", positional, "Number or name"},
            {"--wait", flag, "Follow it, with times, until it is over; exit code 1 if it does not go well"},
            {"--timeout", option, "Seconds to wait at most, 1 to 600 (60)"}},
           "  drill 1 --wait", drill}};
}

}  // namespace tomoshibi::ctl
