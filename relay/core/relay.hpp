// The relay's composition root: sessions, ingest, presence, rules, notices and the mail queue as one sans-I/O object.
//
// bytes -> device_session -> ingest -> one commit at a time -> ack; the rules judge what was taken and put their episodes
// and mails into the same commit. The shell calls on_* in the order things happen, drains the output after each call
// (an action's callback must not call back into the core within the same turn) and arms one timer for next_wake().
//
// One thread: every call, and every read of the store that a call makes, belongs to the reactor thread. Only
// store.commit() of a `commit` action may run elsewhere; at most one is out at a time.
#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/time.hpp"
#include "relay/core/health.hpp"
#include "relay/core/limits.hpp"
#include "relay/core/mail_text.hpp"
#include "relay/core/session_io.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tomoshibi::relay {

struct setup {
  relay::store& store;              // outlives the core
  log_sink& log;
  std::uint64_t seed = 0;           // mail retry jitter
  relay::limits limits{};
  std::string mail_from;            // address that mails come from; its domain also ends each Message-ID
  notice_text (*compose)(const notice_facts&) = compose_notice;  // tests may put their own
};

class relay_core {
public:
  explicit relay_core(setup s);
  ~relay_core();
  relay_core(const relay_core&) = delete;
  relay_core& operator=(const relay_core&) = delete;

  // Reads everything from the store; call once, first. Errors: those of the store; the daemon then ends.
  status on_start(mono_time now, wall_at wall, output& out);
  // tomoshibi-ctl changed the directory, or queued a test mail. On an error the old directory stays in force.
  status on_directory_changed(mono_time now, wall_at wall, output& out);

  // A TLS connection with a verified client certificate. `id` must be new.
  void on_session_open(mono_time now, wall_at wall, session_id id, const peer& who, output& out);
  void on_session_bytes(mono_time now, wall_at wall, session_id id, byte_view data, output& out);
  void on_session_closed(mono_time now, wall_at wall, session_id id, output& out);  // the other side went; unknown ids: ignored

  void on_commit_done(mono_time now, wall_at wall, commit_ticket ticket, const status& done, output& out);
  void on_mail_done(mono_time now, wall_at wall, const mail_key& key, const mail_result& done, output& out);
  void on_wake(mono_time now, wall_at wall, output& out);

  void change_mail_from(const std::string& address);   // for mails that leave, and notices composed, from now on

  // The daemon ends: takes nothing more from gateways and hands out no mail, stores what it knows; then, when all is
  // acknowledged or the store has failed, says bye to every session. The shell goes on until idle() or its patience ends.
  void on_stop(mono_time now, wall_at wall, output& out);

  mono_time next_wake() const;
  bool idle() const;                // nothing to commit, no commit and no mail out
  relay::health health() const;
  bool line_up(const gateway_id& gateway) const;   // as judged; for pages

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace tomoshibi::relay
