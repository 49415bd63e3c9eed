// Goal: whatever happens on the way, every press is one entry of the guard centre's list in the end, its gateway knows, its readers
// were written to, and nobody heard "accepted" before the centre had it. The power goes at any commit, before or after it; lanes
// break, the centre is silent or its answers get lost, the book fails.
#include "tests/relay/core/emergency/desk_bench.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

press_source source_of(press_id id) { return static_cast<press_source>(1 + static_cast<std::uint64_t>(id) % 3); }

// A gateway, as far as a relay can see: sends what is open when the lane comes up, reports what was accepted until that is closed.
struct box {
  std::uint32_t number = 0;
  std::optional<session_id> lane;
  std::map<press_id, press_stage> presses;     // calling: nothing heard
};

class world {
public:
  explicit world(std::uint64_t seed) : random_(seed) {
    b_.seed = seed + 1'000'000;            // another stream than ours: names must not meet
    for (std::uint32_t n = 1; n <= 3; ++n) {
      b_.add_home(n);
      boxes_.push_back({.number = n, .lane = {}, .presses = {}});
    }
    b_.limits.drill_length = 1'000h;           // drills of their own are in desk_test
    b_.book.before_commit = [this] { return on_commit(); };
    b_.centre_answers = false;
  }

  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      while (!b_.desk) restart();              // the power may go again while it starts
      step();
    }
  }

  void converge() {
    calm_ = true;
    b_.book.fail_commits(0);
    for (int round = 0; round < 40; ++round) {
      if (!b_.desk) restart();
      b_.centre_answers = true;
      for (auto& g : boxes_) come(g);
      for (auto& g : boxes_) resend(g);
      b_.run_for(10s);
      for (auto& g : boxes_) listen(g);
    }
  }

  void check() {
    for (const auto& g : boxes_) {
      for (const auto& [id, stage] : g.presses) {
        CHECK(stage == press_stage::closed);
        CHECK(b_.entries_of(id) == 1);
        const auto& row = b_.book.all_presses().at(id);
        CHECK(row.stage == press_stage::accepted);
        CHECK(row.closed);
        for (const contact_id reader : {contact_id{1}, contact_id{g.number * 10}})
          CHECK(b_.book.all_mails().at({emergency_notice::press, static_cast<std::uint64_t>(id), reader}).state ==
                emergency_mail_state::sent);
      }
    }
    CHECK(b_.desk->health().presses_open == 0);
    std::map<std::string, std::set<std::uint16_t>> numbers;
    for (const auto& [id, e] : b_.book.all_events()) CHECK(numbers[e.account].insert(e.sequence).second);
  }
  std::size_t presses() const {
    std::size_t n = 0;
    for (const auto& g : boxes_) n += g.presses.size();
    return n;
  }

private:
  bool on_commit() {
    if (calm_) return false;
    if (random_.chance(25)) {                  // the power goes before it ...
      b_.cut_soon = true;
      return true;
    }
    if (random_.chance(25)) b_.cut_soon = true;  // ... or after
    return false;
  }
  void restart() {
    for (auto& g : boxes_) g.lane.reset();
    b_.start();
  }
  void come(box& g) {
    if (g.lane && !b_.closed(*g.lane)) return;
    g.lane = b_.connect(g.number);
    if (!b_.desk) g.lane.reset();
  }
  void resend(box& g) {
    for (auto& [id, stage] : g.presses) {
      if (!b_.desk || !g.lane || b_.closed(*g.lane)) return;
      const auto number = static_cast<std::uint64_t>(id);
      if (stage == press_stage::closed) continue;
      if (stage == press_stage::accepted) b_.from(*g.lane, a_report(number, press_path::relay));
      else b_.from(*g.lane, a_press(number, source_of(id)));
    }
  }
  void listen(box& g) {
    if (!g.lane) return;
    for (const auto& m : b_.take_inbox(*g.lane)) {
      const auto* n = std::get_if<wire::press_news>(&m);
      if (n == nullptr) continue;
      REQUIRE(g.presses.contains(n->id));
      auto& stage = g.presses.at(n->id);
      if (n->stage == press_stage::received) CHECK(b_.book.all_presses().contains(n->id));
      if (n->stage == press_stage::accepted) {
        CHECK(b_.entries_of(n->id) == 1);
        CHECK(b_.book.all_presses().at(n->id).stage == press_stage::accepted);
      }
      if (n->stage > stage) stage = n->stage;
    }
  }
  void step() {
    auto& g = boxes_[random_.below(boxes_.size())];
    switch (random_.below(9)) {
      case 0:
      case 1: {
        const press_id id{random_.next() | 1};
        g.presses.emplace(id, press_stage::calling);
        come(g);
        if (b_.desk && g.lane) b_.from(*g.lane, a_press(static_cast<std::uint64_t>(id), source_of(id)));
        break;
      }
      case 2: come(g); resend(g); break;
      case 3:
        if (g.lane && !b_.closed(*g.lane)) b_.hang_up(*g.lane);
        g.lane.reset();
        break;
      case 4: b_.run_for(millis{random_.between(1, 40'000)}); break;
      case 5:
      case 6:
        if (!b_.with_link.empty()) {
          auto at = b_.with_link.begin();
          std::advance(at, static_cast<std::ptrdiff_t>(random_.below(b_.with_link.size())));
          const bool answered = random_.chance(700);
          const auto row = at->second;
          b_.centre_takes(row.id, answered);
          if (!answered) b_.with_link.emplace(row.id, row);  // the link goes on asking
          b_.turn();
        }
        break;
      case 7: b_.book.fail_commits(random_.chance(500) ? 2 : 0); break;
      case 8: b_.cut(); break;
    }
    if (b_.desk)
      for (auto& each : boxes_) listen(each);
  }

  prng random_;
  desk_bench b_;
  std::vector<box> boxes_;
  bool calm_ = false;
};

}  // namespace

TEST_CASE("every press ends as one entry, known to its gateway and its readers") {
  std::size_t presses = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    world w(seed);
    w.live(120);
    w.converge();
    w.check();
    presses += w.presses();
  }
  CHECK(presses > 700);
}
