// Goal: when nothing can be judged the right people are told after the right time, with the cause; and told when it is over.
#include "tests/relay/core/relay_bench.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

using enum episode_kind;

// A gateway that lives: pings, and tells each slot as it closes, as long as it is let.
struct living : relay_bench {
  session_id s{};
  record_seq seq = 1;
  slot_index next_told{};
  bool line = true;
  slot_state tv = slot_state::off;
  slot_state fridge = slot_state::on;

  living() {
    add_home(1);
    start();
    next_told = slot();
    dial();
  }
  void dial() {
    wire::hello h;
    h.next_seq = 100'000;
    s = connect_live("box-1", h);
    seq = last_of<wire::welcome>(s)->acked_seq + 1;
  }
  void tell(wire::record r) {
    from(s, wire::records{.first_seq = seq, .items = {std::move(r)}});
    ++seq;
  }
  void live_for(millis length) {
    for (const mono_time end = now + length; now < end;) {
      run_until(std::min(end, now + 30s));
      if (!line) continue;
      if (closed(s)) dial();
      from(s, wire::ping{1});
      for (; next_told < slot(); ++next_told) tell(slot_record(next_told, {{1, tv}, {2, fridge}}));
    }
  }
  std::vector<episode> of(episode_kind kind) const {
    std::vector<episode> out;
    for (const auto& [key, e] : store.episodes())
      if (key.kind == kind) out.push_back(e);
    return out;
  }
  std::size_t mails_to(std::uint32_t contact, episode_kind kind, mail_edge edge) const {
    std::size_t n = 0;
    for (const auto& [key, m] : store.mails())
      n += key.to == contact_id{contact} && key.episode.kind == kind && key.edge == edge;
    return n;
  }
};
constexpr std::uint32_t family = 10;
constexpr std::uint32_t provider = 1;

}  // namespace

TEST_CASE("a home that is seen has no notice, for days") {
  living b;
  b.live_for(48h);
  CHECK(b.store.episodes().empty());
  CHECK(b.core->health().homes_watched == 1);
}

TEST_CASE("an appliance without a rule may be quiet for ever") {
  living b;
  b.tv = slot_state::on;
  b.fridge = slot_state::off;
  b.live_for(24h * 5);
  b.cut();
  b.start();
  b.live_for(24h);
  CHECK(b.store.episodes().empty());
}

TEST_CASE("the line is cut: the provider after its hour, the family after six, each once; the backlog ends both") {
  living b;
  b.live_for(5h);
  const slot_index last_known = b.next_told - 1;
  b.line = false;
  b.hang_up(b.s);
  const wall_at due_provider = start_of(last_known + 1) + 1h;
  b.live_for(due_provider - b.wall() - 1ms);
  CHECK(b.store.episodes().empty());
  b.live_for(1ms);
  REQUIRE(b.of(blind_provider).size() == 1);
  CHECK(b.of(blind_provider)[0].key.since == last_known + 1);
  CHECK(b.of(blind_provider)[0].cause == blind_cause::line_down);
  CHECK(b.mails_to(provider, blind_provider, mail_edge::opened) == 1);
  CHECK(b.mails_to(family, blind_provider, mail_edge::opened) == 0);
  b.live_for(5h - 1ms);
  CHECK(b.of(blind_family).empty());
  b.live_for(1ms);
  REQUIRE(b.of(blind_family).size() == 1);
  CHECK(b.mails_to(family, blind_family, mail_edge::opened) == 1);
  CHECK(b.mails_to(provider, blind_family, mail_edge::opened) == 0);
  b.live_for(30h);
  CHECK(b.store.episodes().size() == 2);

  b.line = true;
  b.live_for(5min);
  for (auto kind : {blind_provider, blind_family}) {
    REQUIRE(b.of(kind)[0].closed);
    CHECK(b.of(kind)[0].closed_by == last_known + 1);
    CHECK_FALSE(b.of(kind)[0].cancelled);
  }
  CHECK(b.mails_to(provider, blind_provider, mail_edge::closed) == 1);
  CHECK(b.mails_to(family, blind_family, mail_edge::closed) == 1);
  b.live_for(24h);
  CHECK(b.store.episodes().size() == 2);
}

TEST_CASE("a backlog that comes in pieces neither ends nor begins an episode before it has caught up") {
  living b;
  b.live_for(5h);
  b.line = false;
  b.live_for(24h);
  REQUIRE(b.store.episodes().size() == 2);
  b.dial();
  for (int i = 0; i < 40; ++i) {
    b.tell(slot_record(b.next_told, {{1, slot_state::off}, {2, slot_state::on}}));
    ++b.next_told;
    b.run_for(10s);
  }
  CHECK(b.store.episodes().size() == 2);
  CHECK_FALSE(b.of(blind_family)[0].closed);
  b.line = true;
  b.live_for(1min);
  CHECK(b.of(blind_family)[0].closed);
  CHECK(b.store.episodes().size() == 2);
}

TEST_CASE("late slots that fill a blind time are judged for quiet like any other") {
  living b;
  b.tv = slot_state::on;
  b.live_for(1h);
  b.tv = slot_state::off;
  b.live_for(24h);
  const slot_index quiet_since = b.of(unused).empty() ? slot_index{} : b.of(unused)[0].key.since;
  b.line = false;
  b.live_for(80h);
  CHECK(b.of(unused).empty());
  CHECK(b.of(blind_family).size() == 1);
  b.line = true;
  b.live_for(1min);
  REQUIRE(b.of(unused).size() == 1);
  CHECK(b.of(unused)[0].off_slots == 288);
  CHECK(b.of(unused)[0].unknown_slots == 0);
  CHECK(quiet_since == slot_index{});
  CHECK(b.of(blind_family)[0].closed);
}

TEST_CASE("the gateway was off: its gap tells why, and the home is seen again with the first known slot") {
  living b;
  b.live_for(5h);
  b.line = false;
  b.live_for(10h);
  const slot_index first_lost = b.next_told;
  b.dial();
  const auto lost = static_cast<std::uint32_t>(b.slot() - first_lost);
  b.tell(gap_record(first_lost, lost, {1, 2}));
  b.next_told = b.slot();
  CHECK_FALSE(b.of(blind_family)[0].closed);
  b.line = true;
  b.live_for(16min);
  REQUIRE(b.of(blind_family)[0].closed);
  CHECK(b.of(blind_family)[0].closed_by == first_lost + static_cast<std::int32_t>(lost));
}

TEST_CASE("every device unseen while the line is up: blind, because of the devices") {
  living b;
  b.live_for(5h);
  b.tv = b.fridge = slot_state::unknown;
  b.live_for(2h);
  REQUIRE(b.of(blind_provider).size() == 1);
  CHECK(b.of(blind_provider)[0].cause == blind_cause::device_silent);
  CHECK(b.of(device_silent).empty());
}

TEST_CASE("one device unseen while another is seen: its own notice, and the home is not blind for long") {
  living b;
  b.live_for(5h);
  b.fridge = slot_state::unknown;
  b.live_for(6h - 1ms);
  CHECK(b.store.episodes().empty());
  b.live_for(1min);
  REQUIRE(b.of(device_silent).size() == 1);
  CHECK(b.of(device_silent)[0].key.appliance == appliance_id{2});
  CHECK(b.of(device_silent)[0].cause == blind_cause::device_silent);
  CHECK(b.mails_to(family, device_silent, mail_edge::opened) == 1);
  CHECK(b.mails_to(provider, device_silent, mail_edge::opened) == 1);
  CHECK(b.of(blind_provider).empty());  // the ruled one is seen
  b.fridge = slot_state::off;
  b.live_for(30min);
  CHECK(b.of(device_silent)[0].closed);
  CHECK(b.mails_to(family, device_silent, mail_edge::closed) == 1);
}

TEST_CASE("a relay that was away tells nobody blind before everybody had time to come back") {
  living b;
  b.live_for(5h);
  b.cut();
  b.now += 10h;
  b.start();
  b.run_for(4min);  // the longest back-off
  b.live_for(1h);
  CHECK(b.store.episodes().empty());

  b.cut();
  b.now += 10h;
  b.line = false;
  b.start();
  b.live_for(b.limits.blind_grace - 1ms);
  CHECK(b.store.episodes().empty());
  b.live_for(1ms);
  CHECK(b.of(blind_family).size() == 1);
  CHECK(b.of(blind_family)[0].cause == blind_cause::line_down);
}

TEST_CASE("restarts in the middle of it tell nothing twice") {
  living b;
  b.live_for(5h);
  b.line = false;
  for (int i = 0; i < 12; ++i) {
    b.live_for(1h);
    b.cut();
    b.start();
  }
  b.live_for(30min);
  CHECK(b.of(blind_provider).size() == 1);
  CHECK(b.of(blind_family).size() == 1);
  CHECK(b.mails.size() == 2);
  b.line = true;
  b.live_for(10min);
  CHECK(b.of(blind_provider)[0].closed);
  CHECK(b.of(blind_family)[0].closed);
  b.cut();
  b.start();
  b.live_for(10h);
  CHECK(b.store.episodes().size() == 2);
  CHECK(b.mails.size() == 4);
}

TEST_CASE("a fault is told when it is reported and when it is gone, whatever repeats or restarts") {
  living b;
  b.live_for(5h);
  const auto fault = [&b](bool faulty) {
    b.tell({wire::device_fault{.device = "d1", .faulty = faulty, .description = 7, .appliance = appliance_id{1}}, b.wall()});
  };
  fault(true);
  fault(true);
  REQUIRE(b.of(device_fault).size() == 1);
  CHECK(b.of(device_fault)[0].key.since == b.slot());
  CHECK(b.mails_to(family, device_fault, mail_edge::opened) == 1);
  CHECK(b.mails_to(provider, device_fault, mail_edge::opened) == 1);
  b.cut();
  b.start();
  b.dial();
  fault(true);
  CHECK(b.of(device_fault).size() == 1);
  fault(false);
  CHECK(b.of(device_fault)[0].closed);
  CHECK(b.mails_to(family, device_fault, mail_edge::closed) == 1);
  fault(true);  // again, within the same slot: another episode
  CHECK(b.of(device_fault).size() == 2);
}

TEST_CASE("two devices serve one appliance: faulty until neither is") {
  living b;
  const auto fault = [&b](const char* device, bool faulty) {
    b.tell({wire::device_fault{.device = device, .faulty = faulty, .description = 0, .appliance = appliance_id{1}}, b.wall()});
  };
  fault("a", true);
  fault("b", true);
  fault("a", false);
  CHECK_FALSE(b.of(device_fault)[0].closed);
  fault("b", false);
  CHECK(b.of(device_fault)[0].closed);
}

TEST_CASE("the end of a fault counts whatever the device serves by now") {
  for (const std::optional<appliance_id> now_of : {std::optional<appliance_id>{}, std::optional{appliance_id{2}}}) {
    living b;
    b.tell({wire::device_fault{.device = "a", .faulty = true, .description = 0, .appliance = appliance_id{1}}, b.wall()});
    REQUIRE(b.of(device_fault).size() == 1);
    b.tell({wire::device_fault{.device = "a", .faulty = false, .description = 0, .appliance = now_of}, b.wall()});
    CHECK(b.of(device_fault)[0].closed);
    b.cut();
    b.start();
    CHECK(b.of(device_fault).size() == 1);
  }
}

TEST_CASE("a fault that ends before its beginning is durable, or whose appliance goes meanwhile") {
  relay_bench b;
  b.add_home(1);
  b.add_home(2);
  b.start();
  wire::hello h;
  h.next_seq = 10;
  const session_id one = b.connect_live("box-1", h);
  const session_id two = b.connect_live("box-2", h);
  const auto fault = [&b](bool faulty) {
    return wire::record{wire::device_fault{.device = "d", .faulty = faulty, .description = 0, .appliance = appliance_id{1}}, b.wall()};
  };
  const auto open_in = [&b](std::uint32_t home) {
    return std::ranges::count_if(b.store.episodes(), [home](const auto& e) { return e.first.home == home_id{home} && !e.second.closed &&
                                                                                   !e.second.cancelled; });
  };
  b.from(two, wire::records{.first_seq = 1, .items = {fault(true)}});
  b.commits_at_once = false;
  SECTION("of the other home nothing is ended") {
    b.from(one, wire::records{.first_seq = 1, .items = {fault(true), fault(false)}});
    while (!b.commits.empty()) b.finish_commit(true);
    CHECK(open_in(1) == 0);
    CHECK(open_in(2) == 1);
    b.from(one, wire::records{.first_seq = 3, .items = {fault(true)}});
    while (!b.commits.empty()) b.finish_commit(true);
    CHECK(open_in(1) == 1);
  }
  SECTION("the appliance is taken away while the commit is out") {
    b.from(one, wire::records{.first_seq = 1, .items = {fault(true)}});
    REQUIRE_FALSE(b.commits.empty());
    b.store.edit_directory().appliances.erase({home_id{1}, appliance_id{1}});
    b.directory_changed();
    while (!b.commits.empty()) b.finish_commit(true);
    CHECK(open_in(1) == 0);
    CHECK(open_in(2) == 1);
  }
}

TEST_CASE("a fault that was there before watching began is told when it begins") {
  living b;
  directory& d = b.store.edit_directory();
  d.homes.at(home_id{1}).watch_mode = false;
  b.directory_changed();
  b.tell({wire::device_fault{.device = "a", .faulty = true, .description = 0, .appliance = appliance_id{1}}, b.wall()});
  b.live_for(3h);
  CHECK(b.store.episodes().empty());
  d.homes.at(home_id{1}).watch_mode = true;
  d.homes.at(home_id{1}).watch_since = b.wall();
  b.directory_changed();
  CHECK(b.of(device_fault).size() == 1);
}

TEST_CASE("watch mode off cancels what is open without an all-clear; a home without a rule is never called blind") {
  living b;
  b.live_for(5h);
  b.line = false;
  b.live_for(10h);
  REQUIRE(b.store.episodes().size() == 2);
  directory& d = b.store.edit_directory();
  d.homes.at(home_id{1}).watch_mode = false;
  b.directory_changed();
  for (const auto& [key, e] : b.store.episodes()) CHECK(e.cancelled);
  CHECK(b.mails.size() == 2);

  d.homes.at(home_id{1}).watch_mode = true;
  d.homes.at(home_id{1}).watch_since = b.wall();
  d.appliances.at({home_id{1}, appliance_id{1}}).quiet_days.reset();
  b.directory_changed();
  b.live_for(48h);
  CHECK(b.store.episodes().size() == 2);

  d.appliances.at({home_id{1}, appliance_id{1}}).quiet_days = 3;
  b.directory_changed();
  b.live_for(1s);
  CHECK(b.store.episodes().size() == 4);  // blind all the time since it is watched again
}

TEST_CASE("a watch with nobody to tell is shown") {
  living b;
  CHECK(b.core->health().watches_without_recipient == 0);
  b.store.edit_directory().contacts.erase(contact_id{10});
  b.directory_changed();
  CHECK(b.core->health().watches_without_recipient == 1);
}
