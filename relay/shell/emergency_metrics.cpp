// The metrics of the emergency part. docs/OPERATIONS.md lists them: keep both together.
#include "relay/shell/metrics_writer.hpp"

namespace tomoshibi::relay {
namespace {

void add_presses(metrics& m, const emergency_health& h) {
  m.counter("emergency_presses_total", "Presses of buttons, without drills.", h.presses);
  m.counter("emergency_drills_total", "Presses of drills.", h.drills);
  m.counter("emergency_presses_again_total", "Presses that arrived again and were known.", h.presses_again);
  m.head("emergency_presses_accepted_total", "Presses acknowledged by the guard centre, by path.", "counter");
  m.labelled("emergency_presses_accepted_total", "path", "relay", h.presses_accepted);
  m.labelled("emergency_presses_accepted_total", "path", "direct", h.presses_direct);
  m.counter("emergency_alarms_total", "Presses not acknowledged in 30 s; the provider was told.", h.alarms);
  m.gauge("emergency_presses_open", "Presses whose end is not known.", h.presses_open);
  m.gauge("emergency_presses_unaccepted", "Presses that the guard centre has not acknowledged.", h.presses_unaccepted);
  m.gauge("emergency_presses_late", "Of them, for longer than 30 s; must be 0.", h.presses_late);
  m.gauge("emergency_dispatches_open", "Requests for a visit that the guard centre has not acknowledged.", h.dispatches_open);
  m.gauge("emergency_dispatches_late", "Of them, for longer than 30 s; must be 0.", h.dispatches_late);
  m.gauge("emergency_drills_open", "Drills that run.", h.drills_open);
}

void add_lines(metrics& m, const emergency_health& h) {
  m.gauge("emergency_lanes_up", "Gateways whose emergency lane stands.", h.lanes_up);
  m.counter("emergency_lanes_opened_total", "Emergency lanes opened.", h.lanes_opened);
  m.head("emergency_lanes_closed_total", "Emergency lanes closed, by reason.", "counter");
  for (int i = 0; i < close_reasons; ++i) {
    m.labelled("emergency_lanes_closed_total", "reason", name_of(static_cast<close_reason>(i)),
               h.lanes_closed[static_cast<std::size_t>(i)]);
  }
  m.gauge("emergency_lines_lost", "Homes whose emergency lane is lost.", h.lines_lost);
  m.counter("emergency_lines_lost_total", "Lanes judged lost.", h.lines_lost_total);
  m.counter("emergency_lines_restored_total", "Lanes that came back.", h.lines_restored_total);
  m.gauge("emergency_troubles_open", "Troubles of boxes and buttons now.", h.troubles_open);
  m.gauge("emergency_homes_without_centre", "Homes with a lane and without an account at the guard centre.", h.homes_without_centre);
}

void add_centre(metrics& m, const emergency_health& h) {
  m.gauge("guard_link_up", "1 while the guard centre answers.", h.link == dc09::link_state::up ? 1 : 0);
  m.gauge("guard_link_down", "1 while it was asked and does not answer.", h.link == dc09::link_state::down ? 1 : 0);
  m.gauge("guard_events_waiting", "Events waiting for the guard centre's acknowledgement.", h.events_waiting);
  m.head("guard_events_total", "Events for the guard centre that ended, by their end.", "counter");
  m.labelled("guard_events_total", "end", "delivered", h.events_delivered);
  m.labelled("guard_events_total", "end", "refused", h.events_refused);
  m.labelled("guard_events_total", "end", "given_up", h.events_given_up);
  m.counter("guard_answers_doubted_total", "Answers of receivers that were not believed, NAK and DUH.", h.answers_doubted);
}

void add_book(metrics& m, const emergency_health& h) {
  m.counter("emergency_commits_total", "Commits of the emergency book.", h.commits);
  m.counter("emergency_commits_failed_total", "Commits of it that failed and were tried again.", h.commits_failed);
  m.gauge("emergency_commit_failing", "1 while its last commit failed.", h.commit_failing ? 1 : 0);
  m.gauge("emergency_mails_queued", "Emergency mails waiting to leave.", h.mails_queued);
  m.counter("emergency_mails_sent_total", "Emergency mails the mail server took.", h.mails_sent);
  m.counter("emergency_mails_given_up_total", "Emergency mails that will never be sent.", h.mails_given_up);
}

void add_histogram(metrics& m, std::string_view kind, press_hop hop, const delay_histogram& h) {
  const std::string labels = "kind=\"" + std::string(kind) + "\",hop=\"" + std::string(name_of(hop)) + "\"";
  static constexpr std::string_view name = "emergency_delay_seconds";
  for (std::size_t i = 0; i < delay_histogram::bounds_us.size(); ++i)
    m.bucket(name, labels + ",", seconds_text(std::chrono::microseconds{delay_histogram::bounds_us[i]}), h.at_most(i));
  m.bucket(name, labels + ",", "+Inf", h.count());
  m.line("emergency_delay_seconds_sum{" + labels + "}",
         seconds_text(std::chrono::microseconds{static_cast<std::int64_t>(h.sum_us())}));
  m.line("emergency_delay_seconds_count{" + labels + "}", std::to_string(h.count()));
}

void add_delays(metrics& m, const press_delays& d) {
  m.head("emergency_delay_seconds", "How long presses took, by hop and by the box's own clock, as reported since the start.", "histogram");
  for (std::size_t i = 0; i < press_hops; ++i) add_histogram(m, "press", static_cast<press_hop>(i), d.real[i]);
  for (std::size_t i = 0; i < press_hops; ++i) add_histogram(m, "drill", static_cast<press_hop>(i), d.drills[i]);
  m.counter("emergency_interrupted_total", "Presses reported without times: the box began anew meanwhile.", d.interrupted);
}

void add_receipts(metrics& m, const receipt_times& r) {
  static constexpr std::string_view name = "emergency_receipt_seconds";
  m.head(name, "From the bytes of a press at this relay to its being durable and said so, since the start, drills with them.", "histogram");
  for (std::size_t i = 0; i < receipt_times::bounds_us.size(); ++i)
    m.bucket(name, "", seconds_text(std::chrono::microseconds{receipt_times::bounds_us[i]}), r.at_most(i));
  m.bucket(name, "", "+Inf", r.count());
  m.line("emergency_receipt_seconds_sum", seconds_text(r.sum()));
  m.line("emergency_receipt_seconds_count", std::to_string(r.count()));
}

}  // namespace

void add_emergency(metrics& m, const relay_view& v) {
  if (!v.emergency) return;
  add_presses(m, *v.emergency);
  add_lines(m, *v.emergency);
  add_centre(m, *v.emergency);
  add_book(m, *v.emergency);
  add_delays(m, v.emergency->delays);
  add_receipts(m, v.receipts);
}

}  // namespace tomoshibi::relay
