// Goal: late slots are judged later, and that changes nothing but when: not what is told, not over restarts at any point,
// and one home that sends late slots without end costs the others no more than its named share.
#include "tests/relay/core/relay_bench.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

struct recount_bench : relay_bench {
  slot_index first;           // the slot after watching began
  record_seq seq = 1;
  session_id s{};

  recount_bench(int appliances, std::uint16_t days, millis since) {
    add_home(1, days);
    directory& d = store.edit_directory();
    d.homes.at(home_id{1}).blind_family_after = d.homes.at(home_id{1}).blind_provider_after = 24h * 10'000;
    const appliance first_one = d.appliances.at({home_id{1}, appliance_id{1}});
    for (int n = 2; n <= appliances; ++n) {
      appliance a = first_one;
      a.spec.appliance = appliance_id{static_cast<std::uint16_t>(n)};
      d.appliances[{home_id{1}, a.spec.appliance}] = a;
    }
    first = slot() + 1;
    now += since;
  }
  void dial() {
    wire::hello h;
    h.oldest_seq = 1;
    h.next_seq = 1'000'000;
    s = connect_live("box-1", h);
    seq = last_of<wire::welcome>(s)->acked_seq + 1;
  }
  void restart() {
    cut();
    start();
    dial();
  }
  void frame(std::vector<wire::record> items) {
    const std::size_t count = items.size();
    from(s, wire::records{.first_seq = seq, .items = std::move(items)});
    seq += count;
  }
  std::size_t marks() { return store.load_recounts()->size(); }
};

wire::record record_of(slot_index slot, const std::map<int, slot_state>& states, bool uncertain) {
  wire::record r = slot_record(slot, {});
  auto& closed = std::get<wire::slot_closed>(r.body);
  closed.time_uncertain = uncertain;
  for (const auto& [id, state] : states) {
    wire::appliance_slot a;
    a.appliance = static_cast<appliance_id>(id);
    a.state = state;
    a.readings_expected = a.readings_got = 15;
    closed.appliances.push_back(a);
  }
  return r;
}

// Long quiet stretches, rare use, holes; some slots first with a wrong time and other states; out of order within a reach.
std::vector<wire::record> disordered(prng& random, slot_index first, int slots, int appliances) {
  std::vector<wire::record> out;
  for (int i = 0; i < slots; ++i) {
    std::map<int, slot_state> states;
    for (int a = 1; a <= appliances; ++a)
      if (!random.chance(30))
        states[a] = random.chance(8) ? slot_state::on : random.chance(50) ? slot_state::unknown : slot_state::off;
    if (states.empty()) continue;
    if (random.chance(40)) {
      auto wrong = states;
      for (auto& [id, state] : wrong) state = random.chance(300) ? slot_state::on : slot_state::off;
      out.push_back(record_of(first + i, wrong, true));
    }
    out.push_back(record_of(first + i, states, false));
  }
  const std::size_t reach = random.below(250) + 1;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (random.chance(200)) std::swap(out[i], out[std::min(out.size() - 1, i + random.below(reach))]);
  return out;
}

using told = std::map<episode_key, std::tuple<std::optional<slot_index>, std::optional<slot_index>, std::int32_t, std::int32_t>>;
told told_by(const relay_bench& b) {
  told out;
  for (const auto& [key, e] : b.store.episodes()) out[key] = {e.closed_by, e.last_use, e.off_slots, e.unknown_slots};
  return out;
}
std::set<mail_key> mailed_by(const relay_bench& b) {
  std::set<mail_key> out;
  for (const auto& [key, m] : b.store.mails()) out.insert(key);
  return out;
}

}  // namespace

TEST_CASE("judged later, in pieces and over restarts, late slots tell what they tell when judged at once") {
  constexpr int appliances = 4;
  constexpr std::size_t frame_max = 40;
  std::size_t episodes = 0, closed = 0, marked = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    recount_bench at_once{appliances, 1, 24h * 100};
    recount_bench later{appliances, 1, 24h * 100};
    at_once.limits.recount_every = millis{0};
    at_once.limits.recount_rows_per_turn = 1'000'000;
    later.limits.recount_rows_per_turn = 1;  // one appliance a turn
    for (auto* b : {&at_once, &later}) {
      b->start();
      b->dial();
    }
    const auto all = disordered(random, at_once.first, 900, appliances);
    for (std::size_t from = 0; from < all.size();) {
      const std::size_t end = std::min(all.size(), from + random.below(150) + 1);
      for (std::size_t f = from; f < end; f += frame_max) {
        const std::vector<wire::record> items(all.begin() + static_cast<std::ptrdiff_t>(f),
                                              all.begin() + static_cast<std::ptrdiff_t>(std::min(end, f + frame_max)));
        at_once.frame(items);
        later.frame(items);
        if (!random.chance(150)) continue;
        later.restart();         // a start judges what is there
        at_once.run_for(0s);
      }
      marked += later.marks();
      at_once.run_for(30s);
      later.run_for(millis{static_cast<std::int64_t>(random.below(60))});  // within a round: rests are 20 ms
      if (random.chance(300)) later.restart();
      later.run_for(at_once.now - later.now);
      REQUIRE(later.marks() == 0);
      REQUIRE(told_by(later) == told_by(at_once));
      from = end;
    }
    REQUIRE(mailed_by(later) == mailed_by(at_once));
    episodes += told_by(later).size();
    for (const auto& [key, what] : told_by(later)) closed += std::get<0>(what).has_value();
  }
  CHECK(episodes > 500);  // otherwise nothing was compared
  CHECK(closed > 200);
  CHECK(marked > 500);
}

TEST_CASE("a stretch and the use that ended it, both late, are told although the power goes before they are judged") {
  recount_bench b{1, 1, 24h * 100};
  b.start();
  b.dial();
  b.frame({slot_record(b.first + 400, {{1, slot_state::off}})});
  std::vector<wire::record> stretch;
  for (int i = 0; i < 96; ++i) stretch.push_back(slot_record(b.first + i, {{1, slot_state::off}}));
  stretch.push_back(slot_record(b.first + 96, {{1, slot_state::on}}));
  b.frame(stretch);
  REQUIRE(b.store.episodes().empty());
  REQUIRE(b.marks() == 1);
  b.restart();
  REQUIRE(told_by(b).size() == 1);
  CHECK(std::get<0>(told_by(b).begin()->second) == b.first + 96);
  CHECK(b.marks() == 0);
}

TEST_CASE("marks end with what they are about: rule, watch mode, appliance") {
  for (int what = 0; what < 3; ++what) {
    recount_bench b{1, 1, 24h * 100};
    b.start();
    b.dial();
    b.frame({slot_record(b.first + 400, {{1, slot_state::off}})});
    b.frame({slot_record(b.first + 300, {{1, slot_state::off}})});
    REQUIRE(b.marks() == 1);
    directory& d = b.store.edit_directory();
    if (what == 0) d.appliances.at({home_id{1}, appliance_id{1}}).quiet_days.reset();
    if (what == 1) d.homes.at(home_id{1}).watch_mode = false;
    if (what == 2) d.appliances.erase({home_id{1}, appliance_id{1}});
    b.directory_changed();
    CHECK(b.marks() == 0);
    CHECK(b.core->next_wake() > b.now);
  }
}

TEST_CASE("a read that fails while counting again is tried again by itself") {
  recount_bench b{3, 1, 24h * 100};
  b.start();
  b.dial();
  b.frame({slot_record(b.first + 400, {{1, slot_state::off}, {2, slot_state::off}, {3, slot_state::off}})});
  for (int i = 0; i < 96; ++i)
    b.frame({slot_record(b.first + i, {{1, slot_state::off}, {2, slot_state::off}, {3, slot_state::off}})});
  b.store.fail_reads(1);
  b.run_for(1s);
  CHECK(b.core->health().store_reads_failed == 1);
  CHECK(told_by(b).size() == 2);  // the first one failed, and kept nobody
  b.run_for(10s);
  CHECK(told_by(b).size() == 3);
  CHECK(b.marks() == 0);
}

// Counts day reads, not time. The history is a year of 32 appliances without use: the longest stretch there is.
TEST_CASE("a gateway that sends late slots without end is judged within the named shares") {
  constexpr int appliances = 32, days = 365;
  recount_bench b{appliances, 3, 24h * days};
  write_batch year;
  std::map<int, slot_state> quiet;
  for (int a = 1; a <= appliances; ++a) quiet[a] = slot_state::off;
  for (int i = 0; i < (days - 1) * 96; ++i)
    year.push_back(slots_write{home_id{1}, std::get<wire::slot_closed>(record_of(b.first + i, quiet, false).body)});
  REQUIRE(b.store.commit(year));
  year.clear();
  b.start();
  b.dial();

  prng random{1};
  std::uint64_t most_in_a_turn = 0;
  const std::uint64_t before = b.store.days_read();
  const auto watched = [&](auto act) {
    const std::uint64_t had = b.store.days_read();
    act();
    most_in_a_turn = std::max(most_in_a_turn, b.store.days_read() - had);
  };
  const mono_time end = b.now + 60s;
  while (b.now < end) {
    const std::uint64_t had = b.store.days_read();
    b.frame({record_of(b.first + static_cast<int>(random.below(days * 90)), quiet, false)});
    REQUIRE(b.store.days_read() == had);  // nothing in the turn of the frame
    const mono_time next_frame = b.now + 50ms;
    while (b.core->next_wake() <= next_frame) watched([&] { b.run_until(std::max(b.now, b.core->next_wake())); });
    b.run_until(next_frame);
  }
  const std::uint64_t read = b.store.days_read() - before;
  const std::uint64_t of_one_appliance = days + 1;
  CHECK(most_in_a_turn <= b.limits.recount_rows_per_turn + of_one_appliance);
  CHECK(read <= of_one_appliance * appliances * 7);  // a round at once, then one each ten seconds
  CHECK(read >= of_one_appliance * appliances * 4);  // and it is judged, again and again
  CHECK(b.closed(b.s) == std::nullopt);
}
