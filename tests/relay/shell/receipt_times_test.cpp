// Goal: the relay's own part of the way of a press is counted once for each press, from the first bytes of its turn to the commit
// that made it durable, whatever else happens in between; and is shown as it was counted.
#include "relay/shell/receipt_times.hpp"

#include "relay/shell/relay_view.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using std::chrono::microseconds;

namespace {

receipt_watch::time_point at(int us) { return receipt_watch::time_point{microseconds{us}}; }

}  // namespace

TEST_CASE("a press counts from the first bytes of its turn to the end of the turn that committed it") {
  receipt_watch w;
  w.on_bytes(at(1'000));
  w.on_bytes(at(1'200));
  CHECK(w.on_turn_end(at(1'500), 1, 1));
  CHECK(w.times().count() == 1);
  CHECK(w.times().recent().max_us == 500);
}

TEST_CASE("it ends with the last answer of that turn, not with what follows it; without an answer with the turn") {
  receipt_watch w;
  w.on_sent(at(10));                      // of an earlier turn
  (void)w.on_turn_end(at(20), 0, 0);
  w.on_bytes(at(1'000));
  w.on_sent(at(1'400));
  (void)w.on_turn_end(at(1'900), 1, 1);
  CHECK(w.times().recent().max_us == 400);
  w.on_bytes(at(5'000));                  // its lane is gone meanwhile; another one got a pong
  w.on_sent(at(5'100));
  w.on_commit_due();
  (void)w.on_turn_end(at(5'700), 2, 2);
  CHECK(w.times().recent().max_us == 700);
}

TEST_CASE("a turn of pings, and a commit of something else, count for nothing") {
  receipt_watch w;
  w.on_bytes(at(10));
  CHECK(w.on_turn_end(at(20), 0, 0));
  CHECK_FALSE(w.on_turn_end(at(30), 0, 1));
  w.on_bytes(at(40));
  (void)w.on_turn_end(at(50), 0, 2);
  CHECK(w.times().count() == 0);
  w.on_bytes(at(1'000));
  (void)w.on_turn_end(at(1'100), 1, 3);
  CHECK(w.times().recent().max_us == 100);
}

TEST_CASE("presses of one turn count each; those of a commit that failed from where they came") {
  receipt_watch w;
  w.on_bytes(at(0));
  (void)w.on_turn_end(at(300), 3, 1);
  CHECK(w.times().count() == 3);
  w.on_bytes(at(1'000));
  (void)w.on_turn_end(at(1'200), 4, 1);   // the disk is full
  w.on_bytes(at(5'000));
  (void)w.on_turn_end(at(5'100), 5, 1);   // another press, and still
  CHECK(w.times().count() == 3);
  (void)w.on_turn_end(at(9'000), 5, 2);
  CHECK(w.times().count() == 5);
  CHECK(w.times().recent().max_us == 8'000);
  CHECK(w.times().recent().n == 5);
}

TEST_CASE("percentiles are of the last thousand, the histogram is of all") {
  receipt_times t;
  for (int i = 0; i < 500; ++i) t.add(microseconds{50'000});
  for (std::size_t i = 0; i < receipts_kept; ++i) t.add(microseconds{i < 10 ? 1'001 : 1'000});
  const auto recent = t.recent();
  CHECK(recent.n == receipts_kept);
  CHECK(recent.p99_us == 1'000);
  CHECK(recent.max_us == 1'001);
  CHECK(t.count() == receipts_kept + 500);
  CHECK(t.at_most(1) == 0);
  CHECK(t.at_most(2) == receipts_kept - 10);
  CHECK(t.at_most(3) == receipts_kept);
  CHECK(t.at_most(receipt_times::bounds_us.size() - 1) == t.count());
}

TEST_CASE("they are on every page of an enabled emergency part") {
  relay_view v;
  CHECK(metrics_text(v).find("receipt") == std::string::npos);
  v.emergency.emplace();
  CHECK(nlohmann::json::parse(health_json(v))["emergency"]["receipts"]["n"] == 0);
  CHECK(health_page(v).find("Stored by this relay") == std::string::npos);
  v.receipts.add(microseconds{700});
  v.receipts.add(microseconds{2'300});
  const auto receipts = nlohmann::json::parse(health_json(v))["emergency"]["receipts"];
  CHECK(receipts["n"] == 2);
  CHECK(receipts["mean_us"] == 1'500);
  CHECK(receipts["p99_us"] == 2'300);
  const auto text = metrics_text(v);
  CHECK(text.find("tomoshibi_relay_emergency_receipt_seconds_bucket{le=\"0.001000\"} 1\n") != std::string::npos);
  CHECK(text.find("tomoshibi_relay_emergency_receipt_seconds_bucket{le=\"+Inf\"} 2\n") != std::string::npos);
  CHECK(text.find("tomoshibi_relay_emergency_receipt_seconds_sum 0.003000\n") != std::string::npos);
  CHECK(health_page(v).find("<td>2.3\u00a0ms</td>") != std::string::npos);
}
