#include "relay/shell/relay_view.hpp"

#include "protocol/adapters/stderr_log.hpp"

#include <nlohmann/json.hpp>

namespace tomoshibi::relay {
namespace {

using json = nlohmann::ordered_json;

std::string_view link_text(const emergency_health& h) {
  if (!h.centre_set) return "none";
  return h.link == dc09::link_state::up ? "up" : h.link == dc09::link_state::down ? "down" : "unknown";
}

json receipts_of(const receipt_times& r) {
  const delay_summary s = r.recent();
  return {{"n", s.n},           {"min_us", s.min_us}, {"mean_us", s.mean_us}, {"p50_us", s.p50_us},
          {"p95_us", s.p95_us}, {"p99_us", s.p99_us}, {"max_us", s.max_us}};
}

json emergency_facts_of(const emergency_health& h, const receipt_times& receipts) {
  return {{"guard_link", link_text(h)},           {"lanes_up", h.lanes_up},
          {"lines_lost", h.lines_lost},           {"troubles_open", h.troubles_open},
          {"presses", h.presses},                 {"presses_unaccepted", h.presses_unaccepted},
          {"presses_late", h.presses_late},       {"drills", h.drills},
          {"dispatches_late", h.dispatches_late}, {"events_waiting", h.events_waiting},
          {"homes_without_centre", h.homes_without_centre},
          {"receipts", receipts_of(receipts)}};
}

json facts(const relay_view& v) {
  const auto reasons = degraded_reasons(v);
  json out;
  out["status"] = reasons.empty() ? "ok" : "degraded";
  out["reasons"] = reasons;
  out["version"] = v.version;
  out["started"] = format_utc(v.started);
  out["now"] = format_utc(v.now);
  out["connections"] = v.device.connections;
  out["gateways"] = {{"enrolled", v.core.gateways}, {"up", v.core.gateways_up}, {"down", v.core.gateways_down}};
  out["homes_watched"] = v.core.homes_watched;
  json episodes = json::object();
  for (std::size_t kind = 1; kind < v.core.episodes_open.size(); ++kind) {
    episodes[std::string{name_of(static_cast<episode_kind>(kind))}] = v.core.episodes_open[kind];
  }
  out["episodes_open"] = episodes;
  out["mails"] = {{"queued", v.core.mails_queued}, {"sent", v.core.mails_sent}, {"given_up", v.core.mails_given_up}};
  if (v.core.oldest_mail) out["mails"]["oldest"] = format_utc(*v.core.oldest_mail);
  if (v.emergency) out["emergency"] = emergency_facts_of(*v.emergency, v.receipts);
  out["commits"] = {{"done", v.core.commits}, {"failed", v.core.commits_failed}, {"last_ms", v.commits.last().count() / 1000}};
  return out;
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

}  // namespace

void commit_times::add(std::chrono::microseconds took) {
  for (std::size_t i = 0; i < bounds_ms.size(); ++i) {
    if (took <= std::chrono::milliseconds{bounds_ms[i]}) ++at_most_[i];
  }
  ++count_;
  sum_ += took;
  last_ = took;
}

std::vector<std::string> degraded_reasons(const relay_view& v) {
  std::vector<std::string> out;
  const auto& c = v.core;
  if (v.stopping) out.emplace_back("the relay is stopping");
  if (c.commit_failing) out.emplace_back("the last commit failed and is tried again");
  if (v.commits.last() > commit_fine_max) out.emplace_back("the last commit took longer than 2 s");
  if (c.store_reads_failed != 0) out.push_back(counted(c.store_reads_failed, "read of the store", "reads of the store") + " failed");
  if (c.watches_without_recipient != 0) {
    out.push_back(counted(c.watches_without_recipient, "watched home has", "watched homes have") + " nobody to tell");
  }
  if (!v.mail_server_set && c.homes_watched != 0) out.emplace_back("no mail server is configured");
  if (c.oldest_mail && v.now - *c.oldest_mail > mail_age_fine_max) {
    out.emplace_back("a mail has been trying to leave for more than 15 min");
  }
  if (c.mails_given_up != 0) out.push_back(counted(c.mails_given_up, "mail was", "mails were") + " given up");
  if (c.gateways_down != 0) out.push_back(counted(c.gateways_down, "gateway is", "gateways are") + " down");
  if (c.gateways_put_off != 0) {
    out.push_back(counted(c.gateways_put_off, "gateway is", "gateways are") + " ahead of this clock: one of them or this clock is wrong");
  }
  if (v.certificate_from && v.now < *v.certificate_from)
    out.push_back("the relay's certificate or its CA begins " + format_utc(*v.certificate_from) + ", or this clock is wrong");
  if (v.certificate_until && *v.certificate_until - v.now < certificate_left_fine_min) {
    out.push_back("the relay's certificate or its CA ends " + format_utc(*v.certificate_until) +
                  "; see tomoshibi-ctl certificate show, then renew and reload");
  }
  add_emergency_reasons(v, out);
  if (v.checks_failed != 0) out.push_back(counted(v.checks_failed, "internal check", "internal checks") + " failed");
  return out;
}

std::string health_json(const relay_view& v) { return facts(v).dump(2) + "\n"; }

std::string status_json(const relay_view& v) { return facts(v).dump(); }

}  // namespace tomoshibi::relay
