// Goal: health says what is wrong and nothing else; each reason by itself turns it to degraded; commit times are counted
// into the right buckets.
#include "relay/shell/relay_view.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <functional>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

relay_view fine() {
  relay_view v;
  v.core.gateways = v.core.gateways_up = 3;
  v.core.homes_watched = 3;
  v.mail_server_set = true;
  v.started = wall_from_ms(1'700'000'000'000);
  v.now = v.started + 24h;
  v.version = "0.1.0";
  v.emergency.emplace().centre_set = true;
  v.emergency->link = dc09::link_state::up;
  return v;
}

}  // namespace

TEST_CASE("a relay with nothing wrong is ok") {
  CHECK(degraded_reasons(fine()).empty());
  CHECK(nlohmann::json::parse(health_json(fine()))["status"] == "ok");
  CHECK(health_page(fine()).find(">OK ") != std::string::npos);
  CHECK(health_page(fine()).find("<td>2023-11-14 22:13:20\u00a0UTC</td>") != std::string::npos);
  CHECK(metrics_text(fine()).find("\ntomoshibi_relay_degraded 0\n") != std::string::npos);
}

TEST_CASE("each fault by itself is one reason, in every place where health is shown") {
  const std::vector<std::function<void(relay_view&)>> faults{
      [](relay_view& v) { v.stopping = true; },
      [](relay_view& v) { v.core.commit_failing = true; },
      [](relay_view& v) { v.commits.add(std::chrono::milliseconds{2001}); },
      [](relay_view& v) { v.core.store_reads_failed = 1; },
      [](relay_view& v) { v.core.watches_without_recipient = 1; },
      [](relay_view& v) { v.mail_server_set = false; },
      [](relay_view& v) { v.core.oldest_mail = v.now - mail_age_fine_max - 1ms; },
      [](relay_view& v) { v.core.mails_given_up = 2; },
      [](relay_view& v) { v.core.gateways_down = 1; },
      [](relay_view& v) { v.core.gateways_put_off = 1; },
      [](relay_view& v) { v.certificate_until = v.now + certificate_left_fine_min - 1ms; },
      [](relay_view& v) { v.certificate_from = v.now + 1ms; },
      [](relay_view& v) { v.checks_failed = 1; },
      [](relay_view& v) { v.emergency->presses_late = 1; },
      [](relay_view& v) { v.emergency->dispatches_late = 2; },
      [](relay_view& v) { v.emergency->link = dc09::link_state::down; },
      [](relay_view& v) { v.emergency->homes_without_centre = 1; },
      [](relay_view& v) { v.emergency->commit_failing = true; },
      [](relay_view& v) { v.emergency->book_lost = book_loss::missing; },
      [](relay_view& v) { v.emergency->troubles_open = 1; },
      [](relay_view& v) { v.emergency->lines_lost = 1; },
      [](relay_view& v) { v.emergency->oldest_mail = v.now - mail_age_fine_max - 1ms; },
      [](relay_view& v) { v.emergency->mails_given_up = 1; },
  };
  for (const auto& fault : faults) {
    auto v = fine();
    fault(v);
    const auto reasons = degraded_reasons(v);
    REQUIRE(reasons.size() == 1);
    CAPTURE(reasons[0]);
    const auto json = nlohmann::json::parse(health_json(v));
    CHECK(json["status"] == "degraded");
    CHECK(json["reasons"][0] == reasons[0]);
    CHECK(health_page(v).find(reasons[0]) != std::string::npos);
    CHECK(metrics_text(v).find("\ntomoshibi_relay_degraded 1\n") != std::string::npos);
    CHECK(status_json(v).find('\n') == std::string::npos);
  }
}

TEST_CASE("what is just within bounds is fine") {
  auto v = fine();
  v.core.oldest_mail = v.now - mail_age_fine_max;
  v.commits.add(commit_fine_max);
  v.certificate_until = v.now + certificate_left_fine_min;
  CHECK(degraded_reasons(v).empty());
  v.mail_server_set = false;
  v.core.homes_watched = 0;
  CHECK(degraded_reasons(v).empty());
}

TEST_CASE("without the emergency part nothing of it is shown; with it, its delays by hop") {
  auto v = fine();
  press_row p;
  p.stage = press_stage::accepted;
  p.reported_path = decltype(p.path)::relay;
  p.durable_us = 900;
  p.received_us = 6'000;
  p.accepted_us = 40'000;
  p.shown_us = 40'100;
  v.emergency->delays.add(p);
  p.test = true;
  v.emergency->delays.add(p);
  const auto text = metrics_text(v);
  CHECK(text.find("emergency_delay_seconds_bucket{kind=\"press\",hop=\"durable\",le=\"0.001000\"} 1\n") != std::string::npos);
  CHECK(text.find("emergency_delay_seconds_bucket{kind=\"press\",hop=\"centre\",le=\"0.025000\"} 0\n") != std::string::npos);
  CHECK(text.find("emergency_delay_seconds_bucket{kind=\"drill\",hop=\"whole\",le=\"+Inf\"} 1\n") != std::string::npos);
  CHECK(text.find("emergency_delay_seconds_sum{kind=\"press\",hop=\"to_ack\"} 0.040000\n") != std::string::npos);
  CHECK(health_page(v).find("<td>34.0\u00a0ms</td>") != std::string::npos);
  CHECK(nlohmann::json::parse(health_json(v))["emergency"]["guard_link"] == "up");
  v.emergency.reset();
  CHECK(metrics_text(v).find("emergency") == std::string::npos);
  CHECK(health_page(v).find("Emergency") == std::string::npos);
  CHECK_FALSE(nlohmann::json::parse(health_json(v)).contains("emergency"));
}

TEST_CASE("commit times fall into cumulative buckets, bounds included") {
  commit_times times;
  times.add(std::chrono::microseconds{1000});
  times.add(std::chrono::microseconds{1001});
  times.add(std::chrono::seconds{6});
  CHECK(times.at_most(0) == 1);
  CHECK(times.at_most(1) == 2);
  CHECK(times.at_most(commit_times::bounds_ms.size() - 1) == 2);
  CHECK(times.count() == 3);
  auto v = fine();
  v.commits = times;
  const auto text = metrics_text(v);
  CHECK(text.find("tomoshibi_relay_commit_seconds_bucket{le=\"0.001000\"} 1\n") != std::string::npos);
  CHECK(text.find("tomoshibi_relay_commit_seconds_bucket{le=\"+Inf\"} 3\n") != std::string::npos);
  CHECK(text.find("tomoshibi_relay_commit_seconds_sum 6.002001\n") != std::string::npos);
}
