#include "relay/ctl/home_status.hpp"
#include "relay/ctl/relay_link.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

// The store keeps what the relay last knew: without this a stopped relay's lines would look up for ever.
void tell_if_stopped(context& c) {
  const auto answer = ask_relay(c.folder.control_socket(), "status");
  if (answer || answer.error().code != errc::net_unreachable) return;
  c.note += "tomoshibi-ctl: the relay does not run; this is what it last knew, and nobody is told of anything\n";
}

status show(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  std::vector<relay::home> homes;
  if (c.has("HOME")) {
    const auto h = r->find_home(c.text("HOME"));
    if (!h) return std::unexpected(h.error());
    homes.push_back(*h);
  } else {
    for (const auto& [id, h] : r->directory().homes) homes.push_back(h);
  }
  for (const auto& h : homes) {
    const auto s = read_status(*r, h);
    if (!s) return std::unexpected(s.error());
    c.out += c.has("--json") ? status_as_json(*s) + "\n" : status_as_text(*s);
  }
  if (homes.empty() && !c.has("--json")) c.say("no homes yet");
  tell_if_stopped(c);
  return {};
}

}  // namespace

verb_list status_verbs() {
  return {{"", "status", "Line, last slot, open alerts and mails of a home, or of all",
           {{"HOME", optional_positional, "Number or name"}, {"--json", flag, "One JSON object a line"}}, "  status 1", show}};
}

}  // namespace tomoshibi::ctl
