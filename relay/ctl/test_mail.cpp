#include "relay/ctl/test_mail.hpp"

#include "protocol/adapters/pki.hpp"
#include "relay/core/mail_address.hpp"
#include "relay/core/mail_text.hpp"
#include "relay/ctl/fact_names.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/relay_link.hpp"
#include "relay/shell/store_values.hpp"
#include "relay/shell/store_writes.hpp"

#include <chrono>
#include <thread>

namespace tomoshibi::ctl {
namespace {

constexpr std::size_t random_id_bytes = 12;

result<relay::contact> recipient(const registry& r, const std::string& typed) {
  if (typed.find('@') == std::string::npos) return r.find_contact(typed);
  if (auto ok = relay::check_mail_address(typed); !ok) return fail(errc::config_invalid, "CONTACT: " + ok.error().detail);
  for (const auto& [id, k] : r.directory().contacts)
    if (k.address == typed) return k;
  return fail(errc::not_found,
              "no contact has this address; mail goes to contacts only. Add one: tomoshibi-ctl contact add --provider "
              "--name NAME --mail ADDRESS");
}

// A test mail's key is its contact and a count, so that each is a mail of its own.
result<std::int32_t> next_test(sqlite_db& db, home_id home, contact_id to) {
  auto s = db.prepare("SELECT coalesce(max(since_slot), 0) + 1 FROM mail WHERE home = ?1 AND contact = ?2 AND edge = 3");
  if (!s) return std::unexpected(s.error());
  if (const auto row = s->bind_all(relay::number(home), relay::number(to)).step(); !row) return std::unexpected(row.error());
  return static_cast<std::int32_t>(s->int64(0));
}

result<relay::mail> compose(const context& c, registry& r, const relay::contact& to, const std::string& from) {
  relay::notice_facts facts;
  facts.to = to;
  facts.edge = relay::mail_edge::test;
  facts.now = c.now;
  if (to.home) facts.where = r.directory().homes.at(*to.home);
  const auto words = relay::compose_notice(facts);
  const auto random = random_bytes(random_id_bytes);
  if (!random) return std::unexpected(random.error());
  relay::mail m;
  m.key.episode.home = to.home.value_or(home_id{0});
  m.key.episode.kind = relay::episode_kind::unused;
  m.key.edge = relay::mail_edge::test;
  m.key.to = to.id;
  m.urgent = true;  // somebody waits for it
  m.queued = c.now;
  m.not_before = c.now;
  m.subject = words.subject;
  m.body = words.body;
  m.message_id = "test-" + to_hex(*random) + "@" + std::string(relay::domain_of(from));
  return m;
}

status wait_for_result(context& c, registry& r, const std::string& message_id, std::int64_t timeout_s) {
  using namespace std::chrono_literals;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{timeout_s};
  for (;;) {
    auto s = r.db().prepare("SELECT state, attempts, last_error FROM mail WHERE message_id = ?1");
    if (!s) return std::unexpected(s.error());
    const auto row = s->bind(1, message_id).step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return fail(errc::storage_io, "the mail is gone from the queue");
    const std::int64_t state = s->int64(0);
    if (state == relay::number(relay::mail_state::sent)) {
      c.say("the mail server took it");
      return {};
    }
    if (state != relay::number(relay::mail_state::queued) || s->int64(1) > 0)
      return fail(errc::mail_temporary, "the mail server did not take it: " + s->text(2));
    s->reset();
    if (std::chrono::steady_clock::now() >= until)
      return fail(errc::net_timeout, "no result in " + std::to_string(timeout_s) + " s; see: tomoshibi-ctl mail list");
    std::this_thread::sleep_for(200ms);
  }
}

}  // namespace

status send_test_mail(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto to = recipient(*r, c.text("CONTACT"));
  if (!to) return std::unexpected(to.error());
  const auto timeout = parse_integer("--timeout", c.text("--timeout", "90"), 1, 600);
  if (!timeout) return std::unexpected(timeout.error());
  const auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  if (c.has("--wait") && !ask_relay(c.folder.control_socket(), "status"))
    return fail(errc::net_unreachable, "the relay does not run, so nothing can be sent; start it, or leave out --wait");
  auto m = compose(c, *r, *to, config->mail.from);
  if (!m) return std::unexpected(m.error());
  const auto work = [&]() -> status {
    const auto number = next_test(r->db(), m->key.episode.home, to->id);
    if (!number) return std::unexpected(number.error());
    m->key.episode.since = {*number};
    relay::statement_cache statements(r->db());
    return relay::queue_mail(statements, *m);
  };
  if (auto ok = change(c, *r, work); !ok) return ok;
  c.say("test mail to contact " + shown(to->id) + " queued");
  if (config->mail.server.empty())
    c.note += "tomoshibi-ctl: relay.toml names no mail server ([mail] server), so it waits in the queue\n";
  return c.has("--wait") ? wait_for_result(c, *r, m->message_id, *timeout) : status{};
}

}  // namespace tomoshibi::ctl
