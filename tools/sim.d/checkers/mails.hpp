// One mail for each episode, edge and recipient.
//
//   rows       exactly one is queued for each recipient when an episode opens, and one when it closes
//   order      submitted only when its row is durable; an all-clear only when its opening has left
//   once       accepted once; again only where the relay could not know: the answer was lost, or the relay's power went
//              before the result was durable. Then it is the same mail, with the same Message-ID
//   in the end each has been accepted, or refused for good
#pragma once

#include "tools/sim.d/observer.hpp"

#include <functional>
#include <map>

namespace tomoshibi::sim {

class mails_checker final : public observer {
public:
  using recipients = std::function<std::vector<contact_id>(const relay::episode_key&)>;
  explicit mails_checker(recipients to) : recipients_(std::move(to)) {}

  void on_committed(const relay::write_batch& batch, wall_at at) override;
  void on_relay_down(wall_at at) override;
  void on_mail_submitted(const relay::mail& what, wall_at at) override;
  void on_mail_accepted(const relay::mail& what, wall_at at, bool answer_lost) override;
  void on_mail_rejected(const relay::mail& what) override;
  // What opened or closed after `through` may still be on its way.
  violations finish(wall_at through) const;
  std::uint64_t accepted() const { return accepted_; }

private:
  struct row {
    std::string message_id;
    std::string body;
    wall_at queued{};
    int accepted = 0;
    bool accepted_and_heard = false;  // since the relay's last start
    bool settled = false;             // the result is durable
    bool rejected = false;
  };
  void expect(const relay::episode_key& key, relay::mail_edge edge, wall_at at);
  void found(const std::string& what, const relay::mail_key& key);

  recipients recipients_;
  std::map<relay::mail_key, row> rows_;
  std::map<relay::mail_key, wall_at> expected_;
  violations violations_;
  std::uint64_t accepted_ = 0;
};

}  // namespace tomoshibi::sim
