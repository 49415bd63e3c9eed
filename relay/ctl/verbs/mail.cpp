#include "protocol/adapters/stderr_log.hpp"
#include "relay/ctl/fact_names.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/test_mail.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

constexpr std::int64_t shown_max = 500;

// Empty: all. Otherwise the number of a mail_state.
result<std::optional<std::int64_t>> state_asked(const context& c) {
  if (!c.has("--state")) return std::nullopt;
  using enum relay::mail_state;
  for (const auto s : {queued, sent, given_up, cancelled})
    if (name_of(s) == c.text("--state")) return relay::number(s);
  return fail(errc::config_invalid, "--state: queued, sent, failed or cancelled");
}

std::string as_json(const statement& s, relay::row_reader& r) {
  return json_object().add("mail", s.int64(0)).add("home", s.int64(1)).add("contact", s.int64(2))
      .add("kind", name_of(r.one_of(3, relay::mail_edge::opened, relay::mail_edge::test)))
      .add("state", name_of(r.one_of(4, relay::mail_state::queued, relay::mail_state::cancelled)))
      .add("queued", format_utc(r.time(5))).add("not_before", format_utc(r.time(6))).add("attempts", s.int64(7))
      .add("subject", s.text(8)).add("message_id", s.text(9)).add("error", s.text(10)).text();
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto state = state_asked(c);
  if (!state) return std::unexpected(state.error());
  auto s = r->db().prepare(
      "SELECT m.id, m.home, m.contact, m.edge, m.state, m.queued_ms, m.not_before_ms, m.attempts, m.subject, m.message_id, "
      "m.last_error, coalesce(h.zone_min, 0) FROM mail m LEFT JOIN home h ON h.id = m.home WHERE (?1 IS NULL OR m.state = ?1) "
      "ORDER BY m.id DESC LIMIT ?2");
  if (!s) return std::unexpected(s.error());
  s->bind(1, *state).bind(2, shown_max);
  text_table t({"MAIL", "HOME", "TO", "KIND", "STATE", "QUEUED", "TRIES", "SUBJECT", "ERROR"});
  const auto done = relay::for_each_row(*s, "mail", [&](const statement& row) {
    relay::row_reader in(row);
    if (c.has("--json")) {
      c.say(as_json(row, in));
      return in.ok();
    }
    t.row({std::to_string(row.int64(0)), row.int64(1) == 0 ? "-" : std::to_string(row.int64(1)), std::to_string(row.int64(2)),
           std::string(name_of(in.one_of(3, relay::mail_edge::opened, relay::mail_edge::test))),
           std::string(name_of(in.one_of(4, relay::mail_state::queued, relay::mail_state::cancelled))),
           format_local(in.time(5), in.whole<std::int32_t>(11)), std::to_string(row.int64(7)), row.text(8), row.text(10)});
    return in.ok();
  });
  if (!done) return done;
  if (!c.has("--json")) c.out += t.empty() ? "no mails\n" : t.text();
  return {};
}

// Failed mails go back into the queue, with their words and their Message-ID: a family that got one would recognise it.
status retry(context& c) {
  if (c.has("MAIL") == c.has("--failed")) return fail(errc::config_invalid, "give the number of a MAIL, or --failed for all of them");
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  std::optional<std::int64_t> only;
  if (c.has("MAIL")) {
    const auto id = parse_integer("MAIL", c.text("MAIL"), 1, std::numeric_limits<std::int64_t>::max());
    if (!id) return std::unexpected(id.error());
    only = *id;
  }
  std::int64_t count = 0;
  auto work = [&]() -> status {
    auto s = r->db().prepare("UPDATE mail SET state = 1, attempts = 0, queued_ms = ?2, not_before_ms = ?2 WHERE state = 3 "
                             "AND (?1 IS NULL OR id = ?1) AND EXISTS (SELECT 1 FROM contact WHERE id = mail.contact)");
    if (!s) return std::unexpected(s.error());
    if (auto ok = s->bind(1, only).bind(2, to_ms(c.now)).run(); !ok) return ok;
    count = r->db().changes();
    if (only && count == 0)
      return fail(errc::not_found, "mail " + std::to_string(*only) + " is not one that failed (or its contact is gone)");
    return {};
  };
  if (auto ok = change(c, *r, work); !ok) return ok;
  c.say(std::to_string(count) + (count == 1 ? " mail" : " mails") + " queued again");
  return {};
}

}  // namespace

verb_list mail_verbs() {
  return {
      {"mail", "test", "Queue a test mail to a contact; the running relay sends it",
       {{"CONTACT", positional, "Number of a contact, or the mail address of one"},
        {"--wait", flag, "Wait for the mail server's answer; exit code 1 if it does not take the mail"},
        {"--timeout", option, "How long to wait in seconds, 1 to 600 (90)"}},
       "  mail test 1 --wait", send_test_mail},
      {"mail", "list", "The newest mails with their state",
       {{"--state", option, "queued, sent, failed or cancelled"}, {"--json", flag, "One JSON object a line"}},
       "  mail list --state failed", list},
      {"mail", "retry", "Queue failed mails again",
       {{"MAIL", optional_positional, "Number from mail list"}, {"--failed", flag, "All that failed"}},
       "  mail retry --failed", retry},
  };
}

}  // namespace tomoshibi::ctl
