// The relay's metrics in Prometheus text format. docs/OPERATIONS.md lists them: keep both together.
#include "relay/shell/metrics_writer.hpp"

namespace tomoshibi::relay {
namespace {

void add_device(metrics& m, const relay_view& v) {
  m.gauge("connections", "Device connections, handshakes included.", v.device.connections);
  m.counter("connections_accepted_total", "Device connections taken.", v.device.accepted);
  m.counter("connections_over_limit_total",
            "Device connections dropped because there were too many, in all or of one address.", v.device.over_limit);
  m.counter("handshakes_resumed_total", "Handshakes that a session ticket made short.", v.device.resumed);
  m.counter("handshakes_failed_total", "Device connections that never became TLS sessions.", v.device.handshakes_failed);
  m.counter("slow_peers_total", "Device connections dropped because the peer did not read.", v.device.slow_dropped);
  m.gauge("sessions", "Sessions the core knows.", v.core.sessions);
  m.counter("sessions_opened_total", "Sessions opened.", v.core.sessions_opened);
  m.head("sessions_closed_total", "Sessions closed, by reason.", "counter");
  for (int i = 0; i < close_reasons; ++i) {
    m.labelled("sessions_closed_total", "reason", name_of(static_cast<close_reason>(i)),
               v.core.sessions_closed[static_cast<std::size_t>(i)]);
  }
  m.counter("frames_in_total", "Frames from gateways.", v.core.frames_in);
  m.counter("bytes_in_total", "Plain bytes from gateways.", v.core.bytes_in);
  m.counter("bytes_out_total", "Plain bytes to gateways.", v.core.bytes_out);
}

void add_ingest(metrics& m, const relay_view& v) {
  m.counter("records_in_total", "Records from gateways.", v.core.records_in);
  m.counter("records_known_total", "Records sent again and skipped.", v.core.records_known);
  m.counter("records_foreign_total", "Records that named an appliance the home does not have.", v.core.records_foreign);
  m.counter("records_lost_total", "Records a gateway no longer had.", v.core.records_lost);
  m.counter("slots_stored_total", "Quarter hours of a home stored, each with all its appliances.", v.core.slots_stored);
  m.counter("slots_future_total", "Times that a gateway was put off because a slot starts in the future.", v.core.slots_future);
  m.gauge("writes_pending", "Writes waiting for a commit.", v.core.writes_pending);
  m.counter("commits_total", "Commits.", v.core.commits);
  m.counter("commits_failed_total", "Commits that failed and were tried again.", v.core.commits_failed);
  m.gauge("commit_failing", "1 while the last commit failed.", v.core.commit_failing ? 1 : 0);
  m.counter("store_reads_failed_total", "Reads of the store that failed.", v.core.store_reads_failed);
  m.head("commit_seconds", "How long commits took.", "histogram");
  for (std::size_t i = 0; i < commit_times::bounds_ms.size(); ++i) {
    m.labelled("commit_seconds_bucket", "le", seconds_text(std::chrono::milliseconds{commit_times::bounds_ms[i]}),
               v.commits.at_most(i));
  }
  m.labelled("commit_seconds_bucket", "le", "+Inf", v.commits.count());
  m.line("commit_seconds_sum", seconds_text(v.commits.sum()));
  m.line("commit_seconds_count", std::to_string(v.commits.count()));
}

void add_homes(metrics& m, const relay_view& v) {
  m.gauge("gateways", "Gateways enrolled and not revoked.", v.core.gateways);
  m.gauge("gateways_up", "Gateways heard within 90 s.", v.core.gateways_up);
  m.gauge("gateways_down", "Gateways judged down.", v.core.gateways_down);
  m.gauge("gateways_put_off", "Gateways whose slots start in the future of this relay's clock.", v.core.gateways_put_off);
  m.counter("lines_down_total", "Lines that went down.", v.core.lines_down);
  m.counter("lines_up_total", "Lines that came up.", v.core.lines_up);
  m.gauge("homes_watched", "Homes in watch mode.", v.core.homes_watched);
  m.gauge("watches_without_recipient", "Homes in watch mode with nobody to tell; must be 0.", v.core.watches_without_recipient);
  m.head("episodes_open", "Episodes open now, by kind.", "gauge");
  for (std::size_t kind = 1; kind < v.core.episodes_open.size(); ++kind) {
    m.labelled("episodes_open", "kind", name_of(static_cast<episode_kind>(kind)), v.core.episodes_open[kind]);
  }
  m.counter("episodes_opened_total", "Episodes opened.", v.core.episodes_opened);
  m.counter("episodes_closed_total", "Episodes closed.", v.core.episodes_closed);
}

void add_mails(metrics& m, const relay_view& v) {
  m.gauge("mails_queued", "Mails waiting to leave.", v.core.mails_queued);
  m.gauge("mails_in_flight", "Mails handed to the mail server now.", v.core.mails_in_flight);
  const auto age = v.core.oldest_mail ? std::max(v.now - *v.core.oldest_mail, millis{0}) : millis{0};
  m.gauge("oldest_mail_age_seconds", "How long the oldest mail that may leave has not left; 0 = none.",
          static_cast<std::uint64_t>(age.count() / 1000));
  m.counter("mails_sent_total", "Mails the mail server took.", v.core.mails_sent);
  m.counter("mails_retried_total", "Attempts that failed and will be repeated.", v.core.mails_retried);
  m.counter("mails_given_up_total", "Mails that will never be sent.", v.core.mails_given_up);
}

}  // namespace

std::string seconds_text(std::chrono::microseconds t) {
  auto fraction = std::to_string(t.count() % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(t.count() / 1'000'000) + "." + fraction;
}

std::string metrics_text(const relay_view& v) {
  metrics m;
  add_device(m, v);
  add_ingest(m, v);
  add_homes(m, v);
  add_mails(m, v);
  add_emergency(m, v);
  m.gauge("certificate_end_time_seconds", "When the relay's certificate or its CA ends, seconds since 1970; 0 = not judged.",
          v.certificate_until ? static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(*v.certificate_until), 0) / 1000) : 0);
  m.counter("checks_failed_total", "Internal checks that failed; must be 0.", v.checks_failed);
  m.gauge("degraded", "1 when /healthz says degraded.", degraded_reasons(v).empty() ? 0 : 1);
  m.gauge("start_time_seconds", "When this run began, seconds since 1970.",
          static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(v.started), 0) / 1000));
  return m.take();
}

}  // namespace tomoshibi::relay
