// An emergency desk on a bench: book in memory, virtual time, gateways that are a few lines, a guard centre and a mail server on
// command. The book and the centre's list outlive a cut of the power; the desk and what is on its way do not.
#pragma once

#include "relay/core/emergency/emergency_desk.hpp"
#include "relay/ports/memory_emergency_book.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::relay::test {

class desk_bench {
public:
  desk_bench();

  // ---- the world
  memory_emergency_book book;
  std::optional<emergency_desk> desk;
  mono_time now = mono_from_ms(1'000);
  wall_at start_wall = wall_from_ms(1'790'000'000'000);
  emergency_limits limits{};
  bool centre_set = true;
  std::uint64_t seed = 7;
  known_world world;

  wall_at wall() const { return start_wall + (now - mono_from_ms(1'000)); }
  // home N with box-N, an account (unless told not to), a daughter; the provider's desk reads of all
  void add_home(std::uint32_t number, bool with_account = true);
  void start();                                  // also: again, after cut()
  void cut();                                    // the power goes
  bool cut_soon = false;                         // it goes when the call that runs is over: nothing of it gets out
  void run_for(millis length);                   // every wake on the way
  void directory_changed();
  void turn();                                   // the end of one: commit, then what was asked for is done

  // ---- lanes
  session_id connect(std::uint32_t number);      // hello done
  // Homes 1 and 2, the desk started, a lane of each.
  struct two_lanes {
    session_id mad;
    session_id other;
  };
  two_lanes start_two_homes();
  void from(session_id s, const wire::message& m, bool end_turn = true);
  void bytes_from(session_id s, byte_view data);
  std::vector<wire::message> take_inbox(session_id s);
  std::vector<press_stage> news(session_id s, press_id id);   // and throws the rest of the inbox away
  std::optional<close_reason> closed(session_id s) const;
  void hang_up(session_id s);

  // ---- the guard centre
  struct entry {
    std::string account;
    dc09::signal what;
    std::string reference;
    bool operator==(const entry&) const = default;
  };
  bool centre_answers = true;
  bool centre_refuses = false;
  std::vector<guard_event_row> submitted;        // every frame that went out, repetitions too
  std::map<guard_event_id, guard_event_row> with_link;
  std::vector<entry> list;                       // the operator's: one for an event however often it came
  void centre_takes(guard_event_id id, bool answer_arrives = true);
  std::size_t entries_of(press_id id) const;

  // ---- mails
  mail_outcome mail_answer = mail_outcome::ok;
  bool mail_answers = true;
  std::deque<emergency_mail_key> with_mail_server;   // no answer yet
  void mail_server_answers();                    // the one that came first
  std::vector<submit_emergency_mail> mails;
  std::size_t mails_of(emergency_notice kind) const;

private:
  void act();
  void take_mail();
  std::uint64_t next_session_ = 1;
  std::map<session_id, bytes> received_;
  std::map<session_id, close_reason> closed_;
  desk_output out_;
};

wire::press a_press(std::uint64_t id, press_source source = press_source::button);
wire::press_report a_report(std::uint64_t id, press_path path);

}  // namespace tomoshibi::relay::test
