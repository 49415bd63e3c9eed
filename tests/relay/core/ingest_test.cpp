// Goal: every record counts once; nothing is acknowledged before it is durable, whatever fails in between.
#include "tests/relay/core/relay_bench.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

constexpr home_id home_1{1};
constexpr appliance_id tv{1};

slot_cell stored(relay_bench& b, slot_index slot) {
  const auto day = b.store.read_day(home_1, tv, day_of(slot)).value();
  return day[static_cast<std::size_t>(slot - first_slot_of(day_of(slot)))];
}

wire::records records_of(record_seq first, std::vector<wire::record> items) { return {first, std::move(items)}; }

wire::hello hello_with(std::uint64_t epoch, record_seq oldest, record_seq next) {
  wire::hello h;
  h.epoch = outbox_epoch{epoch};
  h.oldest_seq = oldest;
  h.next_seq = next;
  return h;
}

struct one_home : relay_bench {
  one_home() {
    add_home(1);
    start();
    run_for(24h);
    old = slot() - 90;
  }
  slot_index old;  // slots from here on lie in the past
};

}  // namespace

TEST_CASE("the ack comes after the commit, and names what is durable") {
  one_home b;
  const session_id s = b.connect_live("box-1");
  (void)b.take_inbox(s);
  b.commits_at_once = false;
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}})}));
  b.from(s, records_of(2, {slot_record(b.old + 1, {{1, slot_state::off}})}));
  CHECK(b.take_inbox(s).empty());
  b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 1);  // the second collected behind the first
  b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 2);
  CHECK(stored(b, b.old).state == slot_state::on);
  CHECK(stored(b, b.old + 1).state == slot_state::off);
  CHECK(b.commits.empty());
}

TEST_CASE("a commit that fails is tried again, later each time, and acknowledged only when it succeeds") {
  one_home b;
  const session_id s = b.connect_live("box-1");
  (void)b.take_inbox(s);
  b.commits_at_once = false;
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}})}));
  for (millis wait : {1s, 2s, 4s, 8s}) {
    b.finish_commit(false);
    CHECK(b.core->health().commit_failing);
    b.run_for(wait - 1ms);
    CHECK(b.commits.empty());
    b.run_for(1ms);
    REQUIRE(b.commits.size() == 1);
    CHECK(b.take_inbox(s).empty());
  }
  b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 1);
  CHECK_FALSE(b.core->health().commit_failing);
  CHECK(b.core->health().commits_failed == 4);
}

TEST_CASE("an answer to another ticket changes nothing") {
  one_home b;
  const session_id s = b.connect_live("box-1");
  (void)b.take_inbox(s);
  b.commits_at_once = false;
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}})}));
  output out;
  b.core->on_commit_done(b.now, b.wall(), commit_ticket{999}, {}, out);
  CHECK(out.empty());
  CHECK(b.take_inbox(s).empty());
}

TEST_CASE("power cut between commit and ack: welcome names what is durable, records sent again count once") {
  one_home b;
  const session_id s = b.connect_live("box-1", hello_with(5, 1, 3));
  b.commits_at_once = false;
  const auto sent = records_of(1, {slot_record(b.old, {{1, slot_state::on}}),
                                   {wire::event{.kind = wire::event_kind::started, .value = 3}, b.wall()}});
  b.from(s, sent);
  const bool durable = GENERATE_COPY(false, true);
  if (durable) b.finish_commit(true, false);
  b.cut();
  b.commits_at_once = true;
  b.start();
  const session_id again = b.connect_live("box-1", hello_with(5, 1, 3));
  CHECK(b.last_of<wire::welcome>(again)->acked_seq == (durable ? 2 : 0));
  b.from(again, sent);
  if (!durable) CHECK(b.last_of<wire::ack>(again)->acked_seq == 2);
  CHECK(b.store.events().size() == 1);
  CHECK(b.core->health().records_known == (durable ? 2 : 0));
  CHECK(b.core->health().records_in == (durable ? 0 : 2));
}

TEST_CASE("records that overlap what is known are taken from where they are new") {
  one_home b;
  const session_id s = b.connect_live("box-1");
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}}), slot_record(b.old + 1, {{1, slot_state::on}})}));
  b.from(s, records_of(2, {slot_record(b.old + 7, {{1, slot_state::on}}), slot_record(b.old + 2, {{1, slot_state::off}})}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 3);
  CHECK_FALSE(stored(b, b.old + 7).present);  // 2 was known already
  CHECK(stored(b, b.old + 2).present);
}

TEST_CASE("records the gateway no longer has are counted as lost, and the session goes on") {
  one_home b;
  session_id s = b.connect_live("box-1", hello_with(5, 1, 2));
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}})}));
  s = b.connect_live("box-1", hello_with(5, 11, 12));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 10);
  CHECK(b.core->health().records_lost == 9);
  b.from(s, records_of(11, {slot_record(b.old + 1, {{1, slot_state::on}})}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 11);
}

TEST_CASE("a new epoch starts at nothing, and a commit of the old one does not acknowledge it") {
  one_home b;
  b.commits_at_once = false;
  session_id s = b.connect_live("box-1", hello_with(5, 1, 3));
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}}), slot_record(b.old + 1, {{1, slot_state::on}})}));
  s = b.connect_live("box-1", hello_with(6, 1, 2));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 0);
  while (!b.commits.empty()) b.finish_commit(true);
  CHECK_FALSE(b.last_of<wire::ack>(s));
  b.from(s, records_of(1, {slot_record(b.old + 2, {{1, slot_state::on}})}));
  while (!b.commits.empty()) b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 1);
  CHECK(b.store.load_gateways().value().at(0).epoch == outbox_epoch{6});
}

TEST_CASE("a gateway whose sequence went back is taken at its word") {
  one_home b;
  session_id s = b.connect_live("box-1", hello_with(5, 1, 4));
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}}), slot_record(b.old + 1, {{1, slot_state::on}}),
                           slot_record(b.old + 2, {{1, slot_state::on}})}));
  s = b.connect_live("box-1", hello_with(5, 2, 2));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 1);
  b.from(s, records_of(2, {slot_record(b.old + 9, {{1, slot_state::on}})}));
  CHECK(stored(b, b.old + 9).present);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 2);
}

// The commit that is out when a log goes back carries sequences that mean other records now: its end tells nothing of them.
TEST_CASE("a commit of the log as it was acknowledges nothing of the log as it is") {
  one_home b;
  b.commits_at_once = false;
  const auto three = [&b](std::int32_t from) {
    return records_of(1, {slot_record(b.old + from, {{1, slot_state::on}}), slot_record(b.old + from + 1, {{1, slot_state::on}}),
                          slot_record(b.old + from + 2, {{1, slot_state::on}})});
  };
  session_id s = b.connect_live("box-1", hello_with(5, 1, 4));
  while (!b.commits.empty()) b.finish_commit(true);  // that it is there
  b.from(s, three(0));
  REQUIRE(b.commits.size() == 1);
  SECTION("its sequence went back") {}
  SECTION("its epoch changed and changed back") { s = b.connect_live("box-1", hello_with(6, 1, 2)); }
  s = b.connect_live("box-1", hello_with(5, 1, 1));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 0);
  b.from(s, three(10));
  b.finish_commit(true);  // the first three
  CHECK_FALSE(b.last_of<wire::ack>(s));
  CHECK_FALSE(stored(b, b.old + 10).present);
  while (!b.commits.empty()) b.finish_commit(true);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 3);
  CHECK(stored(b, b.old + 12).present);
}

TEST_CASE("after a log went back everything that is not durable is taken anew, and acknowledged in the end") {
  one_home b;
  b.commits_at_once = false;
  session_id s = b.connect_live("box-1", hello_with(5, 1, 4));
  const auto one = slot_record(b.old, {{1, slot_state::on}});
  b.from(s, records_of(1, {one, one, one}));
  s = b.connect_live("box-1", hello_with(5, 1, 2));  // one record, and it is one that is on its way to the disk
  b.from(s, records_of(1, {one}));
  while (!b.commits.empty()) b.finish_commit(true);
  const auto ack = b.last_of<wire::ack>(s);
  REQUIRE(ack);
  CHECK(ack->acked_seq == 1);
}

namespace {

// A gateway that is put off stays there and pings.
void ping_on(relay_bench& b, session_id s, millis length) {
  for (millis done = 0ms; done < length; done += 30s) {
    b.run_for(30s);
    if (!b.closed(s)) b.from(s, wire::ping{1});
  }
}

}  // namespace

TEST_CASE("a slot of the future and what comes behind it are put off, not lost; the session ends to be asked anew") {
  one_home b;
  session_id s = b.connect_live("box-1");
  const slot_index now = b.slot();
  const auto next = slot_record(now + 1, {{1, slot_state::on}});
  const auto later = slot_record(now + 2, {{1, slot_state::on}});
  const auto old = slot_record(b.old, {{1, slot_state::on}});
  b.from(s, records_of(1, {next, later, old}));
  b.from(s, records_of(4, {old}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 1);
  CHECK(stored(b, now + 1).present);
  CHECK_FALSE(stored(b, now + 2).present);
  CHECK_FALSE(stored(b, b.old).present);
  CHECK(b.core->health().slots_future == 1);
  CHECK(b.core->health().gateways_put_off == 1);
  ping_on(b, s, b.limits.future_wait - 30s);
  CHECK_FALSE(b.closed(s));
  ping_on(b, s, 30s);
  CHECK(b.closed(s) == close_reason::overload);
  CHECK(b.core->health().gateways_put_off == 0);

  s = b.connect_live("box-1", hello_with(0, 1, 5));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 1);
  b.from(s, records_of(2, {later}));                    // still of the future
  CHECK_FALSE(stored(b, now + 2).present);
  b.run_for(15min);
  s = b.connect_live("box-1", hello_with(0, 1, 5));     // a new hello, and its time has come
  b.from(s, records_of(2, {later, old, old}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 4);
  CHECK(stored(b, now + 2).present);
  CHECK(b.core->health().gateways_put_off == 0);
}

TEST_CASE("a gap that reaches into the future is put off as a whole, however long it says it is") {
  for (const std::uint32_t count : {3u, 400u * 96u}) {
    one_home b;
    const session_id s = b.connect_live("box-1");
    const slot_index now = b.slot();
    b.from(s, records_of(1, {gap_record(now, 2, {1}), gap_record(now, count, {1})}));
    CHECK(b.last_of<wire::ack>(s)->acked_seq == 1);
    CHECK(stored(b, now + 1).present);
    CHECK_FALSE(stored(b, now + 2).present);
    CHECK(b.core->health().gateways_put_off == 1);
  }
}

// The machine of the relay has forgotten the time and has no time service yet.
TEST_CASE("a relay that is started while its clock is behind loses no slot, and cries no alarm when it is set right") {
  relay_bench b;
  b.add_home(1);
  b.start();
  b.run_for(24h);
  session_id s = b.connect_live("box-1", hello_with(0, 1, 9));
  const slot_index first = b.slot();
  b.from(s, records_of(1, {slot_record(first, {{1, slot_state::off}})}));
  b.cut();
  b.now += 10h;
  b.wall_offset -= 10h;
  b.start();
  s = b.connect_live("box-1", hello_with(0, 1, 9));
  const auto on = slot_record(first + 39, {{1, slot_state::on}, {2, slot_state::off}});
  b.from(s, records_of(2, {slot_record(first + 1, {{1, slot_state::off}}), on}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 2);
  ping_on(b, s, 3min);
  b.wall_offset += 10h;
  ping_on(b, s, 2min);
  CHECK(b.closed(s) == close_reason::overload);
  s = b.connect_live("box-1", hello_with(0, 1, 9));
  b.from(s, records_of(3, {on}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 3);
  CHECK(stored(b, first + 39).present);
  CHECK(b.store.load_open_episodes()->empty());
}

TEST_CASE("an appliance that the home does not have is left out") {
  one_home b;
  const session_id s = b.connect_live("box-1");
  b.from(s, records_of(1, {slot_record(b.old, {{1, slot_state::on}, {9, slot_state::on}}),
                           slot_record(b.old + 1, {{9, slot_state::on}}), gap_record(b.old + 2, 2, {9})}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 3);
  CHECK(stored(b, b.old).present);
  CHECK_FALSE(b.store.newest_day(home_1, appliance_id{9}).value());
  CHECK(b.core->health().records_foreign == 3);
}

TEST_CASE("a gateway that sends on and on without a commit is told to wait, another one is not") {
  one_home b;
  b.add_home(2);
  b.directory_changed();
  b.limits.gateway_records_max = 10;
  b.cut();
  b.start();
  b.commits_at_once = false;
  const session_id s = b.connect_live("box-1");
  const session_id other = b.connect_live("box-2");
  for (record_seq seq = 1; seq <= 10; ++seq) b.from(s, records_of(seq, {gap_record(b.old, 1, {1})}));
  CHECK_FALSE(b.closed(s));
  b.from(s, records_of(11, {gap_record(b.old, 1, {1})}));
  CHECK(b.closed(s) == close_reason::overload);
  b.from(other, records_of(1, {gap_record(b.old, 1, {1})}));
  CHECK_FALSE(b.closed(other));
}

TEST_CASE("long gaps without end are put off to the next minute, and cost nobody else") {
  one_home b;
  b.add_home(2);
  b.directory_changed();
  b.limits.gap_cells_per_min = 1'000;
  b.cut();
  b.start();
  session_id s = b.connect_live("box-1");
  const session_id other = b.connect_live("box-2");
  const wire::record event{.body = wire::event{wire::event_kind::started, 0}};
  const auto long_gap = gap_record(b.old - 900, 900, {1});
  b.from(s, records_of(1, {long_gap, long_gap, event, long_gap, event}));  // 1,800 slots: the third gap is one too many
  CHECK(b.last_of<wire::bye>(s)->reason == wire::bye_reason::overload);
  b.from(other, records_of(1, {long_gap}));
  CHECK(b.last_of<wire::ack>(other)->acked_seq == 1);

  // What came before it is kept. Neither a new session nor a new epoch begins the minute anew.
  for (std::uint64_t epoch : {0u, 5u}) {
    s = b.connect_live("box-1", hello_with(epoch, 1, 9));
    CHECK(b.last_of<wire::welcome>(s)->acked_seq == (epoch == 0 ? 3 : 0));
    b.from(s, records_of(epoch == 0 ? 4 : 1, {long_gap}));
    CHECK(b.closed(s) == close_reason::overload);
  }

  b.run_for(1min);
  s = b.connect_live("box-1", hello_with(5, 1, 9));
  b.from(s, records_of(1, {long_gap, event}));
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 2);
}

TEST_CASE("a relay whose clock is set back puts off nothing of gateways whose clock is right, also after a restart") {
  relay_bench b;
  b.add_home(1);
  b.start();
  b.run_for(24h);
  session_id s = b.connect_live("box-1", hello_with(0, 1, 9));
  const slot_index first = b.slot();
  b.from(s, records_of(1, {slot_record(first, {{1, slot_state::off}})}));
  b.wall_offset -= 5h;
  b.from(s, records_of(2, {slot_record(first + 1, {{1, slot_state::on}})}));
  b.from(s, records_of(3, {slot_record(first + 2, {{1, slot_state::on}})}));  // of the future still
  CHECK(b.core->health().slots_future == 1);
  b.run_for(30min);
  s = b.connect_live("box-1", hello_with(0, 1, 9));
  b.from(s, records_of(3, {slot_record(first + 2, {{1, slot_state::on}})}));
  CHECK(b.core->health().slots_future == 1);
  b.wall_offset += 5h;
  b.run_for(2min);      // right again, and stored as a sign of life
  b.cut();
  b.wall_offset -= 3h;
  b.start();
  s = b.connect_live("box-1", hello_with(0, 1, 9));
  CHECK(b.last_of<wire::welcome>(s)->acked_seq == 3);
  b.from(s, records_of(4, {slot_record(first + 3, {{1, slot_state::on}})}));
  CHECK(b.core->health().slots_future == 0);
  CHECK(b.last_of<wire::ack>(s)->acked_seq == 4);
}

TEST_CASE("writes are committed in batches of limited size, in order") {
  relay_bench b;
  b.limits.batch_writes_max = 5;
  b.add_home(1);
  b.start();
  b.run_for(24h);
  b.commits_at_once = false;
  const session_id s = b.connect_live("box-1");
  const slot_index first = b.slot() - 50;
  for (int i = 0; i < 20; ++i)
    b.from(s, records_of(static_cast<record_seq>(i) + 1, {slot_record(first + i, {{1, slot_state::off}})}));
  record_seq acked = 0;
  while (!b.commits.empty()) {
    CHECK(b.commits.front().batch->size() <= 7);  // a turn is not divided
    b.finish_commit(true);
    if (const auto a = b.last_of<wire::ack>(s)) {
      CHECK(a->acked_seq > acked);
      acked = a->acked_seq;
    }
  }
  CHECK(acked == 20);
}

// A gateway with an outbox of its own against a relay that loses power, fails commits and replaces sessions.
TEST_CASE("whatever happens, each record is stored once and none is forgotten") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    one_home b;
    b.commits_at_once = false;
    constexpr record_seq total = 60;
    record_seq acked = 0;                     // what the gateway has forgotten
    record_seq sent = 0;
    constexpr session_id none{};
    session_id s = none;
    const auto record_at = [&b](record_seq seq) {
      return wire::record{wire::event{.kind = wire::event_kind::clock_stepped, .value = static_cast<std::int64_t>(seq)},
                          b.wall()};
    };
    const auto read_acks = [&] {
      if (s == none) return;
      for (const auto& m : b.take_inbox(s)) {
        if (const auto* a = std::get_if<wire::ack>(&m)) acked = std::max(acked, a->acked_seq);
        if (const auto* w = std::get_if<wire::welcome>(&m)) acked = sent = std::max(acked, w->acked_seq);
      }
      for (record_seq q = 1; q <= acked; ++q)  // the promise: acknowledged means durable
        REQUIRE(b.store.events().contains({box("box-1"), outbox_epoch{5}, q}));
    };
    for (int step = 0; step < 2'000 && acked < total; ++step) {
      switch (random.below(9)) {
        case 0:
          s = b.connect_live("box-1", hello_with(5, acked + 1, total + 1));
          break;
        case 1: case 2: case 3:
          if (s != none && sent < total && sent < acked + 20) {
            const record_seq n = std::min<record_seq>(random.below(5) + 1, total - sent);
            wire::records r{.first_seq = sent + 1, .items = {}};
            for (record_seq i = 1; i <= n; ++i) r.items.push_back(record_at(sent + i));
            b.from(s, r);
            sent += n;
          }
          break;
        case 4: case 5:
          if (!b.commits.empty()) b.finish_commit(random.chance(700));
          break;
        case 6:
          b.run_for(millis{random.between(0, 2'000)});
          if (s != none && b.closed(s)) s = none;
          break;
        case 7:
          if (s != none && random.chance(300)) {
            b.hang_up(s);
            s = none;
          }
          break;
        default:
          if (random.chance(150)) {
            if (!b.commits.empty() && random.chance(500)) b.finish_commit(true, false);
            b.cut();
            b.start();
            s = none;
          }
      }
      read_acks();
      if (s != none) REQUIRE_FALSE(b.closed(s) == close_reason::malformed);
    }
    REQUIRE(acked == total);
    REQUIRE(b.store.events().size() == total);
    for (const auto& [key, e] : b.store.events())
      REQUIRE(e.event.value == static_cast<std::int64_t>(std::get<record_seq>(key)));
  }
}
