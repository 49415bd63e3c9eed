// What goes to the guard centre: makes events with their durable numbers, hands them to the guard link, writes their ends.
//
// An event is handed over when its row is durable. If the book cannot take it, an urgent one goes all the same, because a full
// disk must not hold up a person; its number may then be used again after a restart, which a centre tells apart by the
// reference. An event that waits is never given up by itself; a press that every receiver refused comes again.
#pragma once

#include "protocol/dc09/sender.hpp"
#include "relay/core/emergency/desk_frame.hpp"
#include "relay/core/emergency/turn_queue.hpp"

namespace tomoshibi::relay {

struct wanted_event {
  home_id home{};
  dc09::signal what = {};
  bool test = false;                         // must be so of the signal, too
  std::uint64_t reference = 0;
  std::optional<wall_at> occurred = {};
  bool urgent = false;
};

class guard_desk {
public:
  explicit guard_desk(desk_frame& f) : f_(f), log_(f.log, "guard") {}

  void on_start(guard_event_id last, const std::map<std::string, std::uint16_t>& sequences);

  // The row of a new event. Nothing: this home has no centre, or too many wait.
  std::optional<guard_event_id> make(desk_turn& t, const wanted_event& e);
  // It is no longer to be told. True: the centre cannot have heard of it.
  bool withdraw(desk_turn& t, guard_event_id id);
  // It was with the link, in this run or perhaps in an earlier one.
  bool may_be_heard(guard_event_id id) const { return heard_.contains(id); }

  void on_durable(const guard_event_row& row);          // from the commit: it may go now
  void on_not_durable();                                // the commit failed: what is urgent may go too
  void hand_over(desk_turn& t);                         // as many as the link takes
  // The row as it is now delivered, once; nothing: no such event waits.
  std::optional<guard_event_row> on_delivered(desk_turn& t, guard_event_id id, std::uint8_t receiver);
  std::optional<guard_event_row> on_refused(desk_turn& t, guard_event_id id);
  void on_not_taken(desk_turn& t, guard_event_id id);   // the link was full
  void on_centre_changed();                             // a new link: all that waits goes to it
  void on_directory(desk_turn& t, const directory& before);  // what waits follows its home's account and key
  void on_wake(desk_turn& t);
  mono_time next_wake() const;

  // The event that says this; the newest first. 0: none waits.
  guard_event_id waiting_for(std::uint64_t reference) const;

private:
  void queue(const guard_event_row& row);
  std::optional<guard_event_row> end(desk_turn& t, guard_event_id id, guard_event_state how, std::uint8_t receiver);
  void forget(guard_event_id id);

  desk_frame& f_;
  logger log_;
  guard_event_id last_{};
  std::map<std::string, std::uint16_t> sequences_;
  turn_queue<guard_event_id> ready_;                    // durable or urgent, and not with the link; urgent ones in front
  std::set<guard_event_id> out_;                        // with the link
  std::set<guard_event_id> heard_;                      // of those that wait: the centre may have heard of it
  std::map<guard_event_id, mono_time> later_;           // refused ones that come again
  std::multimap<std::uint64_t, guard_event_id> by_reference_;
};

// What the line to the centre sends for it. `key`: of its account, and outlives the event; nothing: it is not sealed.
dc09::outgoing outgoing_of(const guard_event_row& event, const dc09::cipher* key);

// 16 hexadecimal digits back to the number; 0 if it is none.
std::uint64_t number_of_reference(std::string_view text);

}  // namespace tomoshibi::relay
