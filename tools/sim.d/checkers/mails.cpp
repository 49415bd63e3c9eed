#include "tools/sim.d/checkers/mails.hpp"

namespace tomoshibi::sim {

void mails_checker::found(const std::string& what, const relay::mail_key& key) {
  if (violations_.size() >= violations_max) return;
  const relay::episode_key& e = key.episode;
  violations_.push_back("mail " + what + ": " + std::string{relay::name_of(e.kind)} + " home " +
                        std::to_string(static_cast<std::uint32_t>(e.home)) + " appliance " +
                        std::to_string(static_cast<int>(e.appliance)) + " since " + std::to_string(e.since.value) +
                        (key.edge == relay::mail_edge::opened ? " opened" : " closed") + " to " +
                        std::to_string(static_cast<std::uint32_t>(key.to)));
}

void mails_checker::expect(const relay::episode_key& key, relay::mail_edge edge, wall_at at) {
  for (const contact_id to : recipients_(key)) expected_.try_emplace({.episode = key, .edge = edge, .to = to}, at);
}

void mails_checker::on_committed(const relay::write_batch& batch, wall_at) {
  for (const relay::write& w : batch) {
    if (const auto* o = std::get_if<relay::episode_open_write>(&w)) {
      expect(o->what.key, relay::mail_edge::opened, o->what.opened);
    } else if (const auto* c = std::get_if<relay::episode_close_write>(&w)) {
      if (!c->cancelled) expect(c->key, relay::mail_edge::closed, c->closed);
    } else if (const auto* q = std::get_if<relay::mail_queue_write>(&w)) {
      const bool fresh = rows_.try_emplace(q->what.key, row{.message_id = q->what.message_id, .body = q->what.body,
                                                            .queued = q->what.queued}).second;
      if (!fresh) found("queued twice", q->what.key);
    } else if (const auto* r = std::get_if<relay::mail_result_write>(&w)) {
      if (r->state != relay::mail_state::queued) rows_[r->key].settled = true;
    }
  }
}

void mails_checker::on_relay_down(wall_at) {
  for (auto& [key, r] : rows_) r.accepted_and_heard = false;
}

void mails_checker::on_mail_submitted(const relay::mail& what, wall_at) {
  const auto it = rows_.find(what.key);
  if (it == rows_.end()) return found("submitted before its row was durable", what.key);
  if (it->second.settled) found("submitted after its end", what.key);
  if (it->second.message_id != what.message_id || it->second.body != what.body) found("changed", what.key);
  if (what.key.edge != relay::mail_edge::closed) return;
  const auto opening = rows_.find({.episode = what.key.episode, .edge = relay::mail_edge::opened, .to = what.key.to});
  if (opening == rows_.end() || (opening->second.accepted == 0 && !opening->second.rejected))
    found("all-clear before its opening", what.key);
}

void mails_checker::on_mail_accepted(const relay::mail& what, wall_at, bool answer_lost) {
  ++accepted_;
  row& r = rows_[what.key];
  ++r.accepted;
  if (r.accepted_and_heard) found("accepted twice", what.key);
  if (!answer_lost) r.accepted_and_heard = true;
}

void mails_checker::on_mail_rejected(const relay::mail& what) { rows_[what.key].rejected = true; }

violations mails_checker::finish(wall_at through) const {
  mails_checker all = *this;
  for (const auto& [key, at] : expected_) {
    const auto it = rows_.find(key);
    if (it == rows_.end()) all.found("never queued", key);
    else if (at < through && it->second.accepted == 0 && !it->second.rejected) all.found("never sent", key);
  }
  for (const auto& [key, r] : rows_)
    if (!expected_.contains(key)) all.found("of no episode", key);
  return all.violations_;
}

}  // namespace tomoshibi::sim
