// Mails on their way: due ones are handed to the shell, a few at a time; the answer decides what becomes of them.
//
// A mail enters when its row is durable (or at a start, from the store) and leaves when it was accepted, refused for good,
// given up, or its reader was removed. Its all-clear waits until it has left. A restart between the server's acceptance
// and the commit of the result sends a mail again, with the same Message-ID.
#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"
#include "relay/core/commit_queue.hpp"
#include "relay/core/directory.hpp"

#include <map>
#include <set>

namespace tomoshibi::relay {

class mail_queue {
public:
  mail_queue(const limits& l, health& count, log_sink& log, commit_queue& commits, const directory& known,
             std::string from, std::uint64_t seed)
      : limits_(l), count_(count), log_(log, "mail"), commits_(commits), known_(known), from_(std::move(from)),
        random_(seed) {}

  void add(const mail& m);                              // durable; a known key changes nothing
  void on_result_committed(const mail_key& key) { settled_.erase(key); }
  void on_done(turn& t, const mail_key& key, const mail_result& done);
  void on_wake(turn& t);                                // hands out what is due

  void change_from(std::string address) { from_ = std::move(address); }

  std::optional<wall_at> next_due() const;              // nothing: none waits, or as many as may be are out
  std::size_t waiting() const { return mails_.size(); }
  std::size_t in_flight() const { return out_.size(); }
  // Since when the mail that has tried longest could have left. Nothing: none waits that may leave; one that is held by
  // quiet hours, or behind its opening, is not late.
  std::optional<wall_at> late_since(wall_at now) const;

private:
  struct due_at {
    wall_at at;
    mail_key key;
    auto operator<=>(const due_at&) const = default;
  };

  void schedule(const mail& m, wall_at at) { due_.insert({at, m.key}); }
  std::optional<wall_at> hold_until(const turn& t, const mail& m) const;
  void finish(mail& m, mail_state state, std::string why);
  void retry(turn& t, mail& m, std::string why);
  void store_result(const mail& m);

  const limits& limits_;
  health& count_;
  logger log_;
  commit_queue& commits_;
  const directory& known_;
  std::string from_;
  prng random_;
  std::map<mail_key, mail> mails_;                      // waiting or out
  std::set<due_at> due_;                                // waiting
  std::set<mail_key> out_;
  std::map<mail_key, wall_at> tried_since_;             // handed out at least once
  std::set<mail_key> settled_;                          // ended here, but the store does not know yet
};

}  // namespace tomoshibi::relay
