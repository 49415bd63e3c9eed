// Whether the lane to each home lives, as the guard centre sees it: 350 begun when none of its gateways was heard for
// line_lost_after, restored, once, when a lane has stood for line_back_after; and the daily test, 602, while the line is up.
//
// A home is watched from its first lane on. After a start of the relay each gets line_lost_after before it is judged. What was
// begun and not told before the line was back is not told at all: an outage of the relay's own line is no thousand events.
// Each home's test has its own time of the day, made from its number, so that they do not come together.
#pragma once

#include "relay/core/emergency/guard_desk.hpp"
#include "relay/core/recency.hpp"

namespace tomoshibi::relay {

class line_watch {
public:
  line_watch(desk_frame& f, guard_desk& guard) : f_(f), log_(f.log, "line"), guard_(guard) {}

  void on_start(desk_turn& t);
  void on_up(desk_turn& t, home_id home);
  void on_heard(desk_turn& t, home_id home);
  void on_down(home_id home);
  void on_directory(desk_turn& t);
  void on_wake(desk_turn& t);                // lines; and from time to time the daily tests
  mono_time next_wake() const;

  std::size_t lost() const { return lost_; }

private:
  struct standing {
    mono_time since{};
    std::size_t lanes = 0;
  };
  void lose(desk_turn& t, watch_row row);
  void restore(desk_turn& t, watch_row row);
  void test(desk_turn& t);

  desk_frame& f_;
  logger log_;
  guard_desk& guard_;
  recency<home_id> heard_;                   // watched and not lost
  std::map<home_id, standing> standing_;     // with a lane now
  std::size_t lost_ = 0;
  mono_time tick_ = never;
};

// The home's time of the day for its test, after midnight UTC.
millis test_time_of(home_id home);

}  // namespace tomoshibi::relay
