// The book of episodes: opens and closes them, and writes the mails of each edge in the same batch.
//
// An episode is known by its key, for good: one that was opened before, by this program or an earlier one, is not opened
// again, and its mails are not written again. The all-clear goes to those to whom the opening was written.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/commit_queue.hpp"
#include "relay/core/directory_index.hpp"
#include "relay/core/mail_text.hpp"

#include <map>
#include <set>
#include <tuple>

namespace tomoshibi::relay {

class notices {
public:
  using compose_function = notice_text (*)(const notice_facts&);
  using others = std::vector<other_use>;

  notices(health& count, log_sink& log, commit_queue& commits, store& from, const known_world& world,
          compose_function compose, const std::string& mail_from);

  status on_start();  // reads the open episodes
  void change_mail_from(const std::string& address);

  // The open episode of this kind about this appliance (0: the home).
  const episode* open_about(home_id home, episode_kind kind, appliance_id appliance) const;
  // Any episode with this key, open or past. A store that cannot be read is told, counted, and answered as the error.
  result<std::optional<episode>> find(const episode_key& key);

  void open(turn& t, const episode& e, const others& seen);  // its key must be new: ask find() before
  void close(turn& t, episode_key key, slot_index by, const others& seen);
  void cancel(turn& t, episode_key key);                     // by a setting: no all-clear

  void on_committed(const write& w);                         // episode writes only
  std::size_t count_open(episode_kind kind) const;
  template <class F>
  void for_each_open(F f) const {
    for (const auto& [about, e] : open_) f(e.what);
  }

private:
  using subject = std::tuple<home_id, episode_kind, appliance_id>;
  struct entry {
    episode what;
    std::set<contact_id> told;
  };
  struct not_durable {
    episode what;
    int writes = 0;
  };

  static subject subject_of(const episode_key& key) { return {key.home, key.kind, key.appliance}; }
  void remember(const episode& e);
  std::vector<const contact*> readers(const episode& e) const;
  void write_mail(turn& t, const episode& e, mail_edge edge, const contact& to, const others& seen);
  void end(turn& t, episode_key key, std::optional<slot_index> by, const others* seen);

  health& count_;
  logger log_;
  commit_queue& commits_;
  store& store_;
  const known_world& world_;
  compose_function compose_;
  std::string mail_domain_;
  std::map<subject, entry> open_;
  std::map<episode_key, not_durable> recent_;  // written, but the store may not know yet
};

// Whom a kind of episode is told to. The provider's own contacts are told of every home.
bool is_told(const contact& to, const episode_key& key);

}  // namespace tomoshibi::relay
