// The emergency part's composition root: lanes, presses, the line to the guard centre, mails, as one sans-I/O object.
//
// The shell calls on_* in the order things happen, and on_turn_end() when the loop has nothing more that is ready: there all that
// came is committed with one fsync, and what may be said because of it is said. It drains the output after each call and arms
// one timer for next_wake(). An action's callback must not call back into the desk within the same call.
//
// One thread, its own, with the book used by nobody else. The commit runs on it: nothing else is to be done meanwhile.
#pragma once

#include "relay/core/emergency/desk_frame.hpp"
#include "relay/core/emergency/dispatch_desk.hpp"

#include <memory>
#include <set>

namespace tomoshibi::relay {

struct emergency_setup {
  emergency_book& book;                      // outlives the desk
  log_sink& log;
  std::uint64_t seed = 0;
  emergency_limits limits{};
  bool centre_set = false;                   // receivers are configured
  std::string mail_from;
  notice_text (*compose)(const emergency_facts&) = compose_emergency;
};

class emergency_desk {
public:
  explicit emergency_desk(emergency_setup s);
  ~emergency_desk();
  emergency_desk(const emergency_desk&) = delete;
  emergency_desk& operator=(const emergency_desk&) = delete;

  // Reads the book; call once, first. Errors: those of the book.
  status on_start(mono_time now, wall_at wall, std::shared_ptr<const known_world> world, desk_output& out);
  void on_directory(mono_time now, wall_at wall, std::shared_ptr<const known_world> world, desk_output& out);
  // Another line to the guard centre, or none: a new link knows no event that waits, so all are handed over again.
  void on_new_link(mono_time now, wall_at wall, bool centre_set, desk_output& out);
  void change_mail_from(const std::string& address);

  // A TLS connection with a verified client certificate. `id` must be new.
  void on_lane_open(mono_time now, wall_at wall, session_id id, const peer& who, desk_output& out);
  void on_lane_bytes(mono_time now, wall_at wall, session_id id, byte_view data, desk_output& out);
  void on_lane_closed(mono_time now, wall_at wall, session_id id, desk_output& out);

  void on_guard_delivered(mono_time now, wall_at wall, guard_event_id id, std::size_t receiver, desk_output& out);
  void on_guard_failed(mono_time now, wall_at wall, guard_event_id id, dc09::not_delivered why, desk_output& out);
  void on_guard_not_taken(mono_time now, wall_at wall, guard_event_id id, desk_output& out);  // the link was full
  void on_guard_link(dc09::link_state state, std::size_t receiver);
  void on_guard_doubted();                   // an answer that was none
  void on_mail_done(mono_time now, wall_at wall, const emergency_mail_key& key, const mail_result& done, desk_output& out);

  // Alerts of the three-day rule: one that changed, and all that are open (at the start).
  void on_alert(mono_time now, wall_at wall, const alert_key& key, bool open, desk_output& out);
  void on_alerts(mono_time now, wall_at wall, const std::set<alert_key>& open, desk_output& out);

  // An operator's, or the family's. Durable when they return; storage errors say whether it goes on all the same.
  result<drill_row> begin_drill(mono_time now, wall_at wall, home_id home, desk_output& out);
  result<guard_event_row> begin_test(mono_time now, wall_at wall, home_id home, desk_output& out);  // a manual test, 601
  result<dispatch_row> begin_dispatch(mono_time now, wall_at wall, const wanted_dispatch& w, desk_output& out);

  void on_wake(mono_time now, wall_at wall, desk_output& out);
  void on_turn_end(mono_time now, wall_at wall, desk_output& out);
  mono_time next_wake(mono_time now, wall_at wall) const;

  // The relay ends: says bye to every lane. What waits is in the book.
  void on_stop(mono_time now, wall_at wall, desk_output& out);

  std::uint64_t commits() const;             // since the start, those that succeeded
  std::uint64_t presses_begun() const;       // since the start, drills with them: durable or not
  emergency_health health() const;           // walks through what is open: not for every turn

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace tomoshibi::relay
