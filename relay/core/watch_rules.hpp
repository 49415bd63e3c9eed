// The rules at work: for each home in watch mode, what its slots say about quiet, blind, silent and faulty.
//
// Slots are judged when they are taken, and the episodes go into the same batch as the slots: either both are durable or
// neither. Slots in order feed the machines; one that comes late, but not before the last use, makes its appliance be
// judged again from the store (overlaid with what waits for commit). Beginning to watch, and every start, does the same.
//
// Judging again can mean to read 400 days of every appliance, so it is not done in the turn of the late slot: the appliance
// is marked, with the slot, in the same batch; recount() does the marked ones later, bounded for each home and for each
// turn. A marked appliance is not fed meanwhile, so the result is that of one frame with all that has come (ADR 5).
//
//   unused          quiet_rule: per appliance with a rule
//   blind_*         blind_rule: per home with a rule, by the newest known slot and the time
//   device_silent   an appliance unseen for the family time while the home is seen
//   device_fault    a device that serves the appliance reports a fault (0x88)
#pragma once

#include "relay/core/appliance_past.hpp"
#include "relay/core/blind_rule.hpp"
#include "relay/core/ingest.hpp"
#include "relay/core/notices.hpp"

#include <map>
#include <set>
#include <string>

namespace tomoshibi::relay {

class line_view {  // what presence knows
public:
  virtual bool line_up(const gateway_id& gateway) const = 0;

protected:
  ~line_view() = default;
};

class watch_rules final : public fact_listener {
public:
  watch_rules(const limits& l, health& count, log_sink& log, commit_queue& commits, store& from,
              const known_world& world, notices& book, const line_view& lines)
      : limits_(l), count_(count), log_(log, "rules"), commits_(commits), store_(from), world_(world),
        known_(world.all), book_(book), lines_(lines) {}

  status on_start(turn& t);
  void on_directory(turn& t, const directory& before);  // known_ is the new one already
  void on_fault_committed(home_id home, const wire::device_fault& fault);
  void on_wake(turn& t);
  std::optional<wall_at> next_due() const;
  mono_time next_recount() const;
  std::size_t homes_watched() const { return homes_.size(); }

  void on_slot(turn& t, home_id home, const wire::slot_closed& slot) override;
  void on_gap(turn& t, home_id home, const wire::slot_gap& gap) override;
  void on_device(turn& t, home_id home, const wire::device_report& report) override;
  void on_fault(turn& t, home_id home, const wire::device_fault& fault, wall_at at) override;
  void on_facts_end(turn& t, home_id home) override;

private:
  struct watched {
    slot_index watch_slot;                        // in which watching this appliance began
    slot_index through = before_all_slots;        // newest slot present
    std::optional<slot_index> known_through;
    std::optional<slot_index> last_on;
    std::optional<quiet_judge> judge;             // with a rule
    std::optional<slot_index> again_from;         // marked: to be judged again, from the last use before this slot
  };
  struct watched_home {
    std::map<appliance_id, watched> appliances;
    std::optional<slot_index> gap_through;        // newest slot that a gateway was off in
    std::optional<slot_index> unseen_through;     // newest slot that arrived UNKNOWN
    std::optional<slot_index> seen_again;         // first known slot since a blind episode opened
    std::optional<wall_at> due;                   // in due_
    std::optional<mono_time> recount_at;          // in recounts_
    mono_time recount_free{};                     // not before
    appliance_id recounted{};                     // the last one of this round, 0 = none yet
  };
  using place = std::pair<home_id, appliance_id>;

  // watch_rules.cpp
  status watch(turn& t, const home& h);
  void watch_or_try_later(turn& t, const home& h);
  void unwatch(home_id id);
  void cancel_unwanted(turn& t);
  void forget_devices(turn& t);
  bool wanted(const episode& e) const;
  notices::others others(home_id home, appliance_id except, wall_at now) const;
  void told_error(const error& e);

  // watch_quiet.cpp
  void take(turn& t, home_id home, appliance_id id, watched& a, slot_index slot, slot_state state);
  status load(turn& t, home_id home, appliance_id id, watched& a, watched_home& h);
  // Answers how many days were read.
  result<std::size_t> judge_again(turn& t, home_id home, appliance_id id, watched& a);
  void conclude(turn& t, home_id home, appliance_id id, watched& a, const quiet_verdict& v);
  void conclude_opened(turn& t, const episode_key& key, watched& a, const quiet_opened& v);

  // watch_recount.cpp
  void mark(turn& t, home_id home, appliance_id id, watched& a, slot_index from);
  void unmark(home_id home, appliance_id id);
  void forget_marks();
  void recount(turn& t);
  std::size_t recount_next(turn& t, home_id id, watched_home& h);
  void recount_from(home_id id, watched_home& h, std::optional<mono_time> at);

  // watch_sight.cpp
  void look_at_clock(const turn& t);
  void judge_sight(turn& t, home_id id, watched_home& h);
  std::optional<wall_at> judge_blind(turn& t, const home& where, watched_home& h);
  std::optional<wall_at> judge_silent(turn& t, const home& where, watched_home& h);
  void judge_fault(turn& t, home_id home, appliance_id id, const watched& a, slot_index now);
  void judge_fault_of(turn& t, place where, wall_at at);
  std::optional<wall_at> open_if_due(turn& t, const home& where, episode_kind kind, appliance_id id, slot_index since,
                                     millis after);
  void reschedule(home_id id, watched_home& h, std::optional<wall_at> due);
  blind_cause cause_for(const episode_key& key) const;

  const limits& limits_;
  health& count_;
  logger log_;
  commit_queue& commits_;
  store& store_;
  const known_world& world_;
  const directory& known_;                                      // of world_
  notices& book_;
  const line_view& lines_;
  std::map<home_id, watched_home> homes_;                       // in watch mode
  struct faulty_device {
    wall_at since{};
    bool stored = false;                                        // the store says so too
  };
  std::map<place, std::map<std::string, faulty_device>> faulty_;  // by device, of every home
  std::set<std::pair<wall_at, home_id>> due_;                   // when a home, or an appliance of it, may become unseen
  std::map<place, slot_index> marks_;                           // as stored, or on their way there
  std::set<std::pair<mono_time, home_id>> recounts_;            // homes with marked appliances
  mono_time recount_rests_until_{};
  std::set<home_id> unread_;                                    // their past could not be read: not judged yet
  mono_time unread_again_ = never;                              // when to try again
  wall_at grace_until_{};
  millis ahead_{};                                              // the calendar before the monotonic clock, at the last look
  slot_index started_;
};

}  // namespace tomoshibi::relay
