// Presses: from the lane into the book, on to the guard centre, and every stage back to the gateway once it is durable.
//
//   new press        one commit: the row, its guard event, the mails; then RECEIVED, and event and mails leave
//   known press      answered by what is durable; never a second event
//   centre's ACK     one commit: event and press; then ACCEPTED and a mail
//   final report     one commit; then CLOSED. A press that was delivered directly may be known by its report alone
//   not accepted     alarm_after: the operator is told, once, and all goes on. Nobody gives a press up
// A drill is the same with test events, and is over after drill_length however far it came.
#pragma once

#include "relay/core/emergency/drill_desk.hpp"

namespace tomoshibi::relay {

class press_desk {
public:
  press_desk(desk_frame& f, guard_desk& guard, mail_desk& mails, drill_desk& drills, lane_table& lanes)
      : f_(f), log_(f.log, "press"), guard_(guard), mails_(mails), drills_(drills), lanes_(lanes) {}

  void on_start(desk_turn& t);
  std::optional<refusal> on_press(desk_turn& t, const gateway_id& gateway, const wire::press& p);
  std::optional<refusal> on_report(desk_turn& t, const gateway_id& gateway, const wire::press_report& r);
  void on_accepted(desk_turn& t, press_id id, std::uint8_t receiver);  // the centre's ACK; unknown ids change nothing
  void on_refused(desk_turn& t, press_id id, const guard_event_row& event);
  void on_durable(desk_turn& t, const press_row& row);
  void on_directory(desk_turn& t);                                     // who had no centre may have one now
  void on_wake(desk_turn& t);
  mono_time next_wake() const;

  std::size_t unaccepted() const { return unaccepted_; }
  std::size_t late() const { return late_; }
  void count();                                                        // into the two above

private:
  struct rate {
    mono_time from{};
    std::uint32_t presses = 0;
  };
  using found_press = std::expected<std::optional<press_row>, refusal>;

  found_press known(const gateway_id& gateway, press_id id);
  std::optional<refusal> over_rate(mono_time now, const gateway_id& gateway);
  std::optional<refusal> make_room(desk_turn& t, const gateway_id& gateway);
  std::optional<press_row> begin(desk_turn& t, const gateway_id& gateway, press_row row);
  void call_centre(desk_turn& t, const press_row& row);
  void accept(desk_turn& t, press_row& row, press_path path, std::uint8_t receiver);
  void alarm(desk_turn& t, press_row row);
  void watch(desk_turn& t, const press_row& row);
  void end(desk_turn& t, press_row row);
  void close_if_over(desk_turn& t, press_row& row);
  void tell(desk_turn& t, const press_row& row);
  void write(desk_turn& t, mail_readers to, emergency_notice kind, const press_row& row);

  desk_frame& f_;
  logger log_;
  guard_desk& guard_;
  mail_desk& mails_;
  drill_desk& drills_;
  lane_table& lanes_;
  std::set<std::pair<mono_time, press_id>> alarms_;   // not accepted, nobody told yet
  std::set<std::pair<mono_time, press_id>> ends_;     // of drills, and of accepted ones that nobody reports
  std::map<press_id, press_stage> told_;              // to the gateway, since the relay's start
  std::map<gateway_id, rate> rates_;
  std::size_t unaccepted_ = 0;
  std::size_t late_ = 0;
};

}  // namespace tomoshibi::relay
