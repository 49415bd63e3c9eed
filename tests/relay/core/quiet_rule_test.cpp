// Goal: the three-day rule is a pure function of stored slots: portions, restarts, repeats and order make no difference;
// boundaries are exact to the slot.
#include "tests/relay/core/relay_bench.hpp"

#include "protocol/base/prng.hpp"
#include "relay/core/quiet_rule.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

using history = std::map<slot_index, slot_state>;  // present slots

struct stretch {
  slot_index since;
  std::optional<slot_index> closed_by;
  std::int32_t off = 0;
  bool operator==(const stretch&) const = default;
};

// The rule in its plainest words.
std::vector<stretch> oracle(const history& slots, slot_index watch_slot, std::int32_t needed) {
  std::vector<stretch> out;
  slot_index u = watch_slot;
  std::int32_t off = 0;
  bool open = false;
  for (const auto& [slot, state] : slots) {
    if (state == slot_state::on) {
      if (slot <= u) continue;
      if (open) out.back().closed_by = slot;
      u = slot;
      off = 0;
      open = false;
    } else if (state == slot_state::off && slot > u && ++off == needed && !open) {
      out.push_back({u + 1, std::nullopt, off});
      open = true;
    }
  }
  return out;
}

std::vector<stretch> stored(const relay_bench& b) {
  std::vector<stretch> out;
  for (const auto& [key, e] : b.store.episodes())
    if (key.kind == episode_kind::unused) out.push_back({key.since, e.closed_by, e.off_slots});
  return out;
}

// Long quiet stretches, rare use, holes of every kind.
history random_history(prng& random, slot_index first, int slots) {
  history out;
  slot_index s = first;
  const auto run = [&](slot_state state, std::int64_t n, bool present) {
    for (; n > 0 && s < first + slots; --n, ++s)
      if (present) out[s] = state;
  };
  while (s < first + slots) {
    switch (random.below(6)) {
      case 0: run(slot_state::on, random.between(1, 8), true); break;
      case 1: run(slot_state::unknown, random.between(1, 40), true); break;
      case 2: run(slot_state::off, random.between(1, 60), false); break;
      default: run(slot_state::off, random.between(20, 130), true);
    }
  }
  return out;
}

std::size_t mails_of(const relay_bench& b, mail_edge edge) {
  std::size_t n = 0;
  for (const auto& [key, m] : b.store.mails())
    n += key.edge == edge && key.episode.kind == episode_kind::unused;
  return n;
}

// A home whose clock stands far ahead, so that any history fits, without blind notices in the way.
struct quiet_bench : relay_bench {
  slot_index first;       // of the history
  record_seq seq = 1;
  session_id s{};
  explicit quiet_bench(std::uint16_t days) {
    add_home(1, days);
    directory& d = store.edit_directory();
    d.homes.at(home_id{1}).blind_family_after = d.homes.at(home_id{1}).blind_provider_after = 24h * 1'000;
    first = slot() + 1;
    now += 24h * 100;
    start();
    dial();
  }
  void dial() {
    wire::hello h;
    h.oldest_seq = 1;
    h.next_seq = 1'000'000;
    s = connect_live("box-1", h);
    seq = last_of<wire::welcome>(s)->acked_seq + 1;
  }
  void tell(const std::vector<wire::record>& items) {
    for (std::size_t at = 0; at < items.size(); at += 50) {
      wire::records r{.first_seq = seq, .items = {}};
      for (std::size_t i = at; i < std::min(items.size(), at + 50); ++i) r.items.push_back(items[i]);
      from(s, r);
      seq += r.items.size();
    }
  }
  void tell(slot_index slot, slot_state state) { tell({slot_record(slot, {{1, state}})}); }
  std::optional<episode> open_one() const {
    for (const auto& [key, e] : store.episodes())
      if (key.kind == episode_kind::unused && !e.closed) return e;
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("the alert comes with the 288th known quiet slot after the last use, not with the 287th") {
  quiet_bench b{3};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 287; ++i) b.tell(b.first + i, slot_state::off);
  CHECK(b.store.episodes().empty());
  b.tell(b.first + 288, slot_state::off);
  const auto e = b.open_one();
  REQUIRE(e);
  CHECK(e->key.since == b.first + 1);
  CHECK(e->last_use == b.first);
  CHECK(e->off_slots == 288);
  CHECK(e->unknown_slots == 0);
  CHECK(e->opened == b.wall());
  for (int i = 289; i < 600; ++i) b.tell(b.first + i, slot_state::off);
  CHECK(b.store.episodes().size() == 1);
  b.tell(b.first + 600, slot_state::on);
  CHECK(b.store.episodes().begin()->second.closed_by == b.first + 600);
  CHECK(mails_of(b, mail_edge::opened) == 1);
  CHECK(mails_of(b, mail_edge::closed) == 1);
}

TEST_CASE("an hour without sight moves the alert by an hour, absent or unknown") {
  for (const bool present : {false, true}) {
    quiet_bench b{1};
    b.tell(b.first, slot_state::on);
    for (int i = 1; i <= 99; ++i) {
      const bool hidden = i > 20 && i <= 24;
      if (!hidden) b.tell(b.first + i, slot_state::off);
      else if (present) b.tell(b.first + i, slot_state::unknown);
    }
    CHECK(b.store.episodes().empty());
    b.tell(b.first + 100, slot_state::off);
    const auto e = b.open_one();
    REQUIRE(e);
    CHECK(e->off_slots == 96);
    CHECK(e->unknown_slots == 4);
  }
}

TEST_CASE("without any use quiet is counted from the slot after watching began") {
  quiet_bench b{1};
  for (int i = -3; i <= 94; ++i) b.tell(b.first + i, slot_state::off);  // `first` is the slot after the one of watch_since
  CHECK(b.store.episodes().empty());
  b.tell(b.first + 95, slot_state::off);
  const auto e = b.open_one();
  REQUIRE(e);
  CHECK(e->key.since == b.first);
  CHECK_FALSE(e->last_use);
}

TEST_CASE("the millisecond of watch_since decides which slot is the first to count") {
  for (const millis late : {millis{0}, millis{15min} - 1ms, millis{15min}}) {
    relay_bench b;
    b.add_home(1, 1);
    directory& d = b.store.edit_directory();
    home& h = d.homes.at(home_id{1});
    h.watch_since = bench_wall + late;
    h.blind_family_after = h.blind_provider_after = 24h * 1'000;
    b.now += 24h * 10;
    b.start();
    wire::hello hi;
    hi.next_seq = 500;
    const session_id s = b.connect_live("box-1", hi);
    for (int i = 0; i < 150; ++i)
      b.from(s, wire::records{.first_seq = static_cast<record_seq>(i) + 1,
                              .items = {slot_record(slot_of(bench_wall) + i, {{1, slot_state::off}})}});
    REQUIRE(b.store.episodes().size() == 1);
    CHECK(b.store.episodes().begin()->first.since == slot_of(bench_wall) + (late == 15min ? 2 : 1));
  }
}

TEST_CASE("random histories in random portions, with repeats and restarts, give what the plain rule gives, once") {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const auto days = static_cast<std::uint16_t>(random.between(1, 3));
    quiet_bench b{days};
    const history told = random_history(random, b.first - 5, 2'500);
    std::vector<wire::record> portion;
    for (const auto& [slot, state] : told) {
      portion.push_back(slot_record(slot, {{1, state}}));
      if (!random.chance(30)) continue;
      b.tell(portion);
      if (random.chance(300)) b.tell(portion);  // a new epoch would send it again
      portion.clear();
      if (random.chance(200)) {
        b.cut();
        b.now += 1min;
        b.start();
        b.dial();
      }
    }
    b.tell(portion);
    b.run_for(5min);  // an all-clear waits for its alert
    const auto expected = oracle(told, b.first - 1, days * slots_per_day);
    REQUIRE(stored(b) == expected);
    std::size_t closed = 0;
    for (const auto& e : expected) closed += e.closed_by.has_value();
    REQUIRE(mails_of(b, mail_edge::opened) == expected.size());
    REQUIRE(mails_of(b, mail_edge::closed) == closed);
    REQUIRE(b.mails.size() == expected.size() + closed);  // each handed to the server once
  }
}

// Slots that come late can make an early judgement that the whole history would not make. What holds: an episode stands on
// what was stored when it opened; at the end the judgement is that of the whole history; no key and no mail twice.
TEST_CASE("slots in any order end in the judgement of the whole history") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    quiet_bench b{1};
    const history told = random_history(random, b.first, 700);
    std::vector<std::pair<slot_index, slot_state>> order(told.begin(), told.end());
    const std::size_t reach = random.below(200) + 2;
    for (std::size_t i = 0; i < order.size(); ++i)
      std::swap(order[i], order[std::min(order.size() - 1, i + random.below(reach))]);
    std::size_t at = 0;
    while (at < order.size()) {
      std::vector<wire::record> portion;
      for (std::size_t n = random.below(60) + 1; n > 0 && at < order.size(); --n, ++at)
        portion.push_back(slot_record(order[at].first, {{1, order[at].second}}));
      b.tell(portion);
      if (random.chance(100)) {
        b.cut();
        b.start();
        b.dial();
      }
      if (random.chance(300)) b.run_for(millis{static_cast<std::int64_t>(random.below(15'000))});
    }
    b.run_for(11s);  // late slots are judged within ten seconds
    const auto expected = oracle(told, b.first - 1, slots_per_day);
    const bool expect_open = !expected.empty() && !expected.back().closed_by;
    const auto open = b.open_one();
    if (expect_open) {
      REQUIRE(open);
      CHECK(open->key.since >= expected.back().since);  // an earlier end of a stretch may have been told already
    }
    // No use lies behind an episode that is still open.
    if (open)
      for (const auto& [slot, state] : told) CHECK_FALSE((slot >= open->key.since && state == slot_state::on));
    std::size_t closed = 0;
    for (const auto& e : stored(b)) closed += e.closed_by.has_value();
    CHECK(mails_of(b, mail_edge::opened) == stored(b).size());
    CHECK(mails_of(b, mail_edge::closed) == closed);
    // Two episodes are always separated by use.
    const auto all = stored(b);
    for (std::size_t i = 1; i < all.size(); ++i) {
      REQUIRE(all[i - 1].closed_by);
      CHECK(*all[i - 1].closed_by < all[i].since);
    }
  }
}

TEST_CASE("a failed commit, a lost answer and a power cut do not tell twice or never") {
  for (const bool applied : {false, true}) {
    quiet_bench b{1};
    b.tell(b.first, slot_state::on);
    for (int i = 1; i < 96; ++i) b.tell(b.first + i, slot_state::off);
    b.commits_at_once = false;
    b.tell(b.first + 96, slot_state::off);
    REQUIRE(b.commits.size() == 1);
    b.finish_commit(false);
    CHECK(b.store.episodes().empty());  // never without its slot
    CHECK(b.mails.empty());
    b.run_for(1s);
    b.finish_commit(applied, false);
    CHECK(b.store.episodes().size() == (applied ? 1 : 0));
    b.cut();
    b.commits_at_once = true;
    b.start();
    b.dial();
    if (!applied) b.tell(b.first + 96, slot_state::off);
    CHECK(stored(b).size() == 1);
    CHECK(b.mails.size() == 1);
  }
}

TEST_CASE("a use that was corrected away leaves the stretch counted from there, not told again at once") {
  quiet_bench b{1};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 100; ++i) b.tell(b.first + i, slot_state::off);
  wire::record wrong = slot_record(b.first + 101, {{1, slot_state::on}});
  std::get<wire::slot_closed>(wrong.body).time_uncertain = true;
  b.tell({wrong});
  b.tell(b.first + 101, slot_state::off);  // the same slot, its time certain now
  REQUIRE(stored(b).size() == 1);
  CHECK(stored(b)[0].closed_by == b.first + 101);
  b.run_for(11s);  // counted again
  for (int i = 102; i <= 101 + 95; ++i) b.tell(b.first + i, slot_state::off);
  CHECK(stored(b).size() == 1);
  b.tell(b.first + 197, slot_state::off);
  REQUIRE(stored(b).size() == 2);
  CHECK(stored(b)[1].since == b.first + 102);
}

TEST_CASE("an appliance without a rule is never judged, also after a start") {
  quiet_bench b{1};
  directory& d = b.store.edit_directory();
  appliance motion = d.appliances.at({home_id{1}, appliance_id{1}});
  motion.spec.appliance = appliance_id{2};
  motion.quiet_days.reset();
  d.appliances[{home_id{1}, appliance_id{2}}] = motion;
  b.directory_changed();
  for (int i = 0; i <= 90; ++i)
    b.tell({slot_record(b.first + i, {{1, slot_state::on}, {2, i == 0 ? slot_state::on : slot_state::off}})});
  CHECK(b.store.episodes().empty());
}

TEST_CASE("settings: days, rule and watch mode change by reload") {
  quiet_bench b{3};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 200; ++i) b.tell(b.first + i, slot_state::off);
  directory& d = b.store.edit_directory();
  auto& tv = d.appliances.at({home_id{1}, appliance_id{1}});
  CHECK(b.store.episodes().empty());

  tv.quiet_days = 2;  // 192 slots are there already
  b.directory_changed();
  REQUIRE(b.open_one());
  CHECK(b.open_one()->off_slots == 192);

  tv.quiet_days = 4;  // what was told stays told
  b.directory_changed();
  CHECK(b.open_one());

  tv.quiet_days.reset();
  b.directory_changed();
  CHECK_FALSE(b.open_one());
  CHECK(b.store.episodes().begin()->second.cancelled);
  CHECK(mails_of(b, mail_edge::closed) == 0);

  tv.quiet_days = 1;  // set again: counted from where it was taken away, not told again for the past
  b.directory_changed();
  CHECK_FALSE(b.open_one());
  CHECK(mails_of(b, mail_edge::opened) == 1);

  home& h = d.homes.at(home_id{1});
  h.watch_mode = false;
  b.directory_changed();
  h.watch_mode = true;
  h.watch_since = b.wall() - 24h * 30;
  b.directory_changed();
  CHECK(b.core->health().homes_watched == 1);
}

TEST_CASE("a past that cannot be read when a setting changes is read later, and judged whole") {
  quiet_bench b{3};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 200; ++i) b.tell(b.first + i, slot_state::off);
  b.store.edit_directory().appliances.at({home_id{1}, appliance_id{1}}).quiet_days = 2;  // 192 slots are there already
  b.store.fail_reads(1);
  b.directory_changed();
  CHECK(b.core->health().store_reads_failed == 1);
  CHECK_FALSE(b.open_one());
  b.tell(b.first + 201, slot_state::off);
  CHECK_FALSE(b.open_one());
  b.run_for(2min);
  REQUIRE(b.open_one());
  CHECK(b.open_one()->off_slots == 192);
  CHECK(b.open_one()->key.since == b.first + 1);
  CHECK(b.core->health().homes_watched == 1);
}

TEST_CASE("whether a stretch was told cannot be read: it is told when it can, once") {
  quiet_bench b{3};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 287; ++i) b.tell(b.first + i, slot_state::off);
  b.store.fail_reads(2);  // the question itself, and the first look back
  b.tell(b.first + 288, slot_state::off);
  b.run_for(1s);
  CHECK(b.core->health().store_reads_failed == 2);
  CHECK(b.store.episodes().empty());
  b.tell(b.first + 289, slot_state::off);
  b.run_for(10s);
  REQUIRE(b.open_one());
  CHECK(b.open_one()->key.since == b.first + 1);
  CHECK(b.open_one()->off_slots == 288);
  CHECK(mails_of(b, mail_edge::opened) == 1);
}

TEST_CASE("a stretch that was told and cancelled is not told again because the store could not be asked") {
  quiet_bench b{3};
  b.tell(b.first, slot_state::on);
  for (int i = 1; i <= 288; ++i) b.tell(b.first + i, slot_state::off);
  REQUIRE(mails_of(b, mail_edge::opened) == 1);
  auto& tv = b.store.edit_directory().appliances.at({home_id{1}, appliance_id{1}});
  tv.quiet_days.reset();
  b.directory_changed();
  tv.quiet_days = 3;
  for (std::uint32_t failing = 1; failing < 12; ++failing) {
    b.store.fail_reads(failing);
    b.directory_changed();
    b.store.fail_reads(0);
    b.run_for(3min);
    b.tell(b.first + 288 + static_cast<int>(failing), slot_state::off);
    CHECK_FALSE(b.open_one());
    CHECK(mails_of(b, mail_edge::opened) == 1);
    tv.quiet_days.reset();
    b.directory_changed();
    tv.quiet_days = 3;
  }
}
