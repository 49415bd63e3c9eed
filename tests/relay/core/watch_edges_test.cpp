// Goal: the rare turns of watching, each made to happen: a store that fails at any one read, homes, appliances and devices that come
// and go, facts about what is not watched, notices that follow each other.
#include "tests/relay/core/relay_bench.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

using enum episode_kind;
constexpr home_id first_home{1};
constexpr appliance_id tv{1};

struct edges_bench : relay_bench {
  session_id s{};
  record_seq seq = 1;
  slot_index first = slot() + 1;

  explicit edges_bench(std::uint16_t days = 1, millis since = 24h * 10, bool told_when_blind = false) {
    add_home(1, days);
    if (!told_when_blind) {
      home& h = store.edit_directory().homes.at(first_home);
      h.blind_family_after = h.blind_provider_after = 24h * 1'000;
    }
    now += since;
    start();
    dial();
  }
  void dial() {
    wire::hello h;
    h.next_seq = 100'000;
    s = connect_live("box-1", h);
    seq = last_of<wire::welcome>(s)->acked_seq + 1;
  }
  void restart() {
    cut();
    start();
    dial();
  }
  void tell(wire::record r) {
    from(s, wire::records{.first_seq = seq, .items = {std::move(r)}});
    ++seq;
  }
  void off(int from_slot, int to_slot) {
    for (int i = from_slot; i < to_slot; ++i) tell(slot_record(first + i, {{1, slot_state::off}}));
  }
  void fault(const char* device, bool faulty, std::optional<appliance_id> of) {
    tell({wire::device_fault{.device = device, .faulty = faulty, .description = 0, .appliance = of}, wall()});
  }
  home& h() { return store.edit_directory().homes.at(first_home); }
  appliance& spec(appliance_id id) { return store.edit_directory().appliances.at({first_home, id}); }
  std::size_t count(episode_kind kind) const {
    std::size_t n = 0;
    for (const auto& [key, e] : store.episodes()) n += key.kind == kind;
    return n;
  }
  std::size_t open_count() const {
    std::size_t n = 0;
    for (const auto& [key, e] : store.episodes()) n += !e.closed;
    return n;
  }
  bool starts() {
    relay_core other{setup{.store = store, .log = null_log(), .seed = 7, .limits = limits, .mail_from = "watch@example.net"}};
    output out;
    return other.on_start(now, wall(), out).has_value();
  }
  void leave() {  // the home is given up, with all that belongs to it
    directory& d = store.edit_directory();
    d.homes.erase(first_home);
    d.gateways.clear();
    d.configs.clear();
    d.appliances.clear();
    d.contacts.clear();
    directory_changed();
  }
};

}  // namespace

TEST_CASE("a start whose reads fail is a start that failed; what is only judged later is tried again") {
  edges_bench b;
  b.tell(slot_record(b.first, {{1, slot_state::on}}));
  b.off(1, 97 + 200);
  b.cut();
  b.store.fail_loads(true);
  CHECK_FALSE(b.starts());
  b.store.fail_loads(false);
  std::size_t failed = 0;
  for (std::uint32_t good = 0; good < 20; ++good) {
    b.store.fail_reads(1, good);
    failed += !b.starts();
    b.store.fail_reads(0);
  }
  CHECK(failed >= 2);
  CHECK(b.starts());
}

TEST_CASE("a failing read at any place of a start or of counting again: told in the end, once") {
  for (const bool again : {false, true}) {
    for (std::uint32_t good = 0; good < 12; ++good) {
      CAPTURE(again, good);
      edges_bench b{3};
      b.tell(slot_record(b.first, {{1, slot_state::on}}));
      b.off(1, 50);
      b.off(51, 289);
      REQUIRE(b.store.episodes().empty());
      if (again) {
        b.off(50, 51);                       // late, and the one that was missing
        b.store.fail_reads(1, good);
        b.run_for(1min);
      } else {
        b.spec(tv).quiet_days = 2;           // enough is there already
        b.store.fail_reads(1, good);
        b.directory_changed();
        b.run_for(3min);
      }
      b.store.fail_reads(0);
      CHECK(b.count(unused) == 1);
      CHECK(b.mails.size() == 1);
      CHECK(b.store.load_recounts()->empty());
    }
  }
}

TEST_CASE("devices that are well, and faults of no appliance or of an unknown one, are no faults of the home") {
  edges_bench b;
  b.fault("a", true, std::nullopt);
  b.fault("b", true, appliance_id{7});
  b.fault("c", true, tv);
  b.fault("c", false, tv);
  CHECK(b.count(device_fault) == 1);
  b.restart();
  CHECK(b.count(device_fault) == 1);
  CHECK(b.open_count() == 0);
}

TEST_CASE("faults that come and go within one slot are told up to a bound") {
  edges_bench b;
  for (int i = 0; i < 20; ++i) {
    b.fault("a", true, tv);
    b.fault("a", false, tv);
  }
  CHECK(b.count(device_fault) == 16);
}

TEST_CASE("facts about a home or an appliance that is not watched change nothing") {
  edges_bench b;
  b.tell(slot_record(b.first, {{7, slot_state::off}, {1, slot_state::off}}));
  b.tell(gap_record(b.first + 1, 1, {7, 1}));
  b.tell(gap_record(b.first + 2, 1, {1}, wire::gap_reason::no_clock));
  b.h().watch_mode = false;
  b.restart();
  b.tell(gap_record(b.first + 3, 200, {1}));
  b.off(203, 400);
  CHECK(b.store.episodes().empty());
  CHECK(b.core->health().homes_watched == 0);
}

TEST_CASE("a home that is given up ends its episodes without an all-clear, and so does a later beginning") {
  for (const bool gone : {true, false}) {
    edges_bench b;
    b.off(0, 96);
    REQUIRE(b.count(unused) == 1);
    if (gone) b.leave();
    else b.h().watch_since = b.wall(), b.directory_changed();
    CHECK(b.store.episodes().begin()->second.cancelled);
    CHECK(b.mails.size() == 1);
    CHECK(b.core->health().homes_watched == (gone ? 0 : 1));
  }
}

TEST_CASE("an appliance that is given up ends its episode without an all-clear") {
  edges_bench b;
  b.off(0, 96);
  REQUIRE(b.open_count() == 1);
  b.store.edit_directory().appliances.erase({first_home, tv});
  b.directory_changed();
  CHECK(b.open_count() == 0);
  CHECK(b.mails.size() == 1);
}

TEST_CASE("a home whose last rule is taken away is no longer blind, whatever homes there are beside it") {
  for (const bool neighbour : {false, true}) {
    edges_bench b{3, 0h, true};
    if (neighbour) {
      b.add_home(2);
      b.h().watch_since = bench_wall;
      b.directory_changed();
    }
    b.run_for(30h);
    REQUIRE(b.count(blind_family) == (neighbour ? 2 : 1));
    b.spec(tv).quiet_days.reset();
    b.directory_changed();
    CHECK(b.open_count() == (neighbour ? 2 : 0));
  }
}

TEST_CASE("a home whose past could not be read keeps its marks; given up, it is not read again") {
  for (int what = 0; what < 3; ++what) {
    CAPTURE(what);
    edges_bench b;
    b.off(50, 60);
    b.run_for(1min);
    b.off(1, 3);
    b.off(0, 1);
    REQUIRE(b.store.load_recounts()->size() == 1);
    b.spec(tv).quiet_days = 2;
    b.store.fail_reads(1);
    b.directory_changed();
    REQUIRE(b.core->health().store_reads_failed == 1);
    CHECK(b.store.load_recounts()->size() == 1);
    output early;
    b.core->on_wake(b.now, b.wall(), early);  // woken for something else
    if (what == 1) b.h().watch_mode = false, b.directory_changed();
    if (what == 2) b.leave();
    b.run_for(3min);
    b.directory_changed();  // a mark of a home that is gone goes with the next change of the directory
    CHECK(b.store.load_recounts()->empty());
    CHECK(b.core->health().homes_watched == (what == 0 ? 1 : 0));
  }
}

TEST_CASE("a mark that lost its rule while the home's past could not be read is gone once it can be") {
  edges_bench b;
  b.off(50, 60);
  b.run_for(1min);
  b.off(1, 3);
  REQUIRE(b.store.load_recounts()->size() == 1);
  b.spec(tv).quiet_days.reset();
  b.store.fail_reads(1);
  b.directory_changed();
  REQUIRE(b.core->health().store_reads_failed == 1);
  REQUIRE(b.store.load_recounts()->size() == 1);
  b.run_for(3min);
  CHECK(b.store.load_recounts()->empty());
}

TEST_CASE("marks outlive a change that is not about them") {
  edges_bench b;
  b.off(50, 60);
  b.run_for(1min);
  b.off(1, 3);
  b.store.edit_directory().contacts.at(contact_id{10}).name = "son";
  b.directory_changed();
  CHECK(b.store.load_recounts()->size() == 1);
  b.run_for(1min);
  CHECK(b.store.load_recounts()->empty());
}

TEST_CASE("a gap is remembered over a restart as the cause") {
  edges_bench b{3, 0h, true};
  b.tell(slot_record(b.first - 1, {{1, slot_state::off}}));
  b.now += 15min;
  b.tell(gap_record(b.first, 1, {1}));
  b.restart();
  for (int i = 0; i < 300; ++i) {
    b.run_for(30s);
    if (b.closed(b.s)) b.dial();
    b.from(b.s, wire::ping{1});
  }
  REQUIRE(b.count(blind_provider) == 1);
  CHECK(b.store.episodes().begin()->second.cause == blind_cause::gateway_off);
}

TEST_CASE("the family may be told before the provider; whether it was told cannot be read: told later") {
  edges_bench b{3, 0h, true};
  b.h().blind_family_after = 1h;
  b.h().blind_provider_after = 10h;
  b.directory_changed();
  b.store.fail_reads(1);
  b.run_for(2h);
  CHECK(b.count(blind_family) == 1);
  CHECK(b.count(blind_provider) == 0);
  b.run_for(10h);
  CHECK(b.count(blind_provider) == 1);
}

TEST_CASE("a rule that is taken away and set again while blind: each time anew from there, up to a bound") {
  edges_bench b{3, 0h, true};
  for (int i = 0; i < 20; ++i) {
    b.run_for(7h);
    b.spec(tv).quiet_days.reset();
    b.directory_changed();
    b.spec(tv).quiet_days = 3;
    b.directory_changed();
  }
  CHECK(b.count(blind_family) >= 16);
  CHECK(b.count(blind_family) <= 17);
}

TEST_CASE("a silent appliance is told once, however long it is silent") {
  edges_bench b{3, 0h, true};
  for (int i = 0; i < 50; ++i) {
    b.run_for(15min);
    b.dial();
    b.tell(slot_record(b.first + i - 1, {{1, slot_state::on}, {2, slot_state::unknown}}));
  }
  CHECK(b.count(device_silent) == 1);
}
