#include "relay/ctl/registry.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/ctl/watch_check.hpp"

#include <algorithm>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

status store(context& c, registry& r, relay::home h) {
  return change(c, r, [&]() -> status { return relay::change_home(r.db(), h, r.settings_of(h.id)); });
}

status on(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const std::string id = shown(h->id);
  if (!has_family_recipient(r->contacts_of(h->id)))
    return fail(errc::refused, "watch mode needs somebody of the family to tell, and home " + id +
                                   " has no family contact; add one: tomoshibi-ctl contact add " + id +
                                   " --name NAME --mail ADDRESS");
  if (h->watch_mode) {
    c.say("watch mode of home " + id + " is already on");
    return {};
  }
  h->watch_mode = true;
  h->watch_since = c.now;
  if (auto ok = store(c, *r, *h); !ok) return ok;
  c.say("watch mode of home " + id + " is on");
  const bool ruled = std::ranges::any_of(r->appliances_of(h->id), [](const auto& a) { return a.quiet_days.has_value(); });
  if (!ruled) c.note += "tomoshibi-ctl: no appliance of this home has a rule, so nothing can be missed yet\n";
  return {};
}

status off(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  if (!h->watch_mode) {
    c.say("watch mode of home " + shown(h->id) + " is already off");
    return {};
  }
  h->watch_mode = false;
  if (auto ok = store(c, *r, *h); !ok) return ok;
  c.say("watch mode of home " + shown(h->id) + " is off; slots are still recorded");
  return {};
}

}  // namespace

verb_list watch_verbs() {
  const argument home{"HOME", positional, "Number or name"};
  return {
      {"watch", "on", "Tell the family when an appliance with a rule is not used; counts from now", {home}, "  watch on 1", on},
      {"watch", "off", "Tell nobody any more; open alerts end without a mail", {home}, "", off},
  };
}

}  // namespace tomoshibi::ctl
