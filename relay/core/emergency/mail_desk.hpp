// The mails of the emergency part: composed with what they tell of, in the same commit; handed out when durable, a few at a time.
//
// What tells of a press or a dispatch request goes first; of that, and of the rest, homes take turns. No quiet hours hold them. If
// the book cannot take them they leave all the same: better twice than never. A power cut between the server's acceptance and the
// commit of the result sends a mail again, with the same Message-ID.
#pragma once

#include "relay/core/emergency/desk_frame.hpp"
#include "relay/core/emergency/turn_queue.hpp"

namespace tomoshibi::relay {

enum class mail_readers : std::uint8_t { everybody, provider };

class mail_desk {
public:
  explicit mail_desk(desk_frame& f) : f_(f), log_(f.log, "mail") {}

  void on_start();
  // One for each reader. What, about whom: `facts` without the reader. A key that is known changes nothing.
  void write(desk_turn& t, mail_readers to, std::uint64_t about, emergency_facts facts);
  void on_durable(const emergency_mail_row& row);
  void on_not_durable();
  void hand_over(desk_turn& t);
  void on_done(desk_turn& t, const emergency_mail_key& key, const mail_result& done);
  mono_time next_wake(mono_time now, wall_at wall) const;
  std::optional<wall_at> oldest() const;
  std::size_t in_flight() const { return out_.size(); }

private:
  struct due_at {
    wall_at at;
    emergency_mail_key key;
    auto operator<=>(const due_at&) const = default;
  };
  void retry(desk_turn& t, emergency_mail_row m, std::string why);
  void finish(emergency_mail_row m, emergency_mail_state state, std::string why);
  void take_due(wall_at wall);
  std::size_t room_for(emergency_notice kind) const;

  desk_frame& f_;
  logger log_;
  std::set<due_at> later_;                              // wait for their time; then ...
  turn_queue<emergency_mail_key> ready_;                // ... for their turn
  std::map<home_id, std::size_t> queued_of_;            // rows that are queued
  std::set<emergency_mail_key> out_;
};

}  // namespace tomoshibi::relay
