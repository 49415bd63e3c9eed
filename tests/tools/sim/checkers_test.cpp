// Goal: every checker of the simulator can fail. Each is shown one thing that must not happen.
#include "relay/ports/memory_store.hpp"
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/checkers/alerts.hpp"
#include "tools/sim.d/checkers/energy.hpp"
#include "tools/sim.d/checkers/mails.hpp"
#include "tools/sim.d/checkers/sight.hpp"
#include "tools/sim.d/checkers/slots.hpp"
#include "tools/sim.d/instant_watch.hpp"
#include "tools/sim.d/truth.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::sim;

namespace {

constexpr slot_index first{1000};
constexpr home_id home0{0};
constexpr appliance_id tv{1};

relay::write_batch closed(slot_index slot, slot_state state, std::optional<std::uint32_t> wh = std::nullopt) {
  wire::slot_closed s{.slot = slot, .time_uncertain = false, .appliances = {}};
  s.appliances.push_back({.appliance = tv, .state = state, .energy_wh = wh});
  return {relay::slots_write{.home = home0, .slot = s}};
}

// What the truth excuses; by default nothing, and the appliance was off.
struct excuses {
  bool was_on = false;
  bool visible = true;
  bool unknown = false;
  bool absent = false;
  bool twice = false;
};

slots_checker checker_with(excuses e) {
  return {1, first, {.may_be_on = [e](std::uint32_t, appliance_id, slot_index) { return e.was_on; },
                     .may_be_off = [e](std::uint32_t, appliance_id, slot_index) { return !e.was_on; },
                     .could_be_seen = [e](std::uint32_t, appliance_id, slot_index) { return e.visible; },
                     .may_be_unknown = [e](std::uint32_t, slot_index) { return e.unknown; },
                     .may_be_absent = [e](std::uint32_t, slot_index) { return e.absent; },
                     .may_be_twice = [e](std::uint32_t, slot_index) { return e.twice; }}};
}

wire::hello hello_of(outbox_epoch epoch, record_seq oldest) {
  wire::hello h;
  h.epoch = epoch;
  h.oldest_seq = oldest;
  return h;
}

relay::episode_close_write close_of(const relay::episode_key& key, wall_at at) {
  return {.key = key, .closed = at, .closed_by = {}, .cancelled = false};
}

constexpr wall_at some_time = wall_from_ms(1'000'000);

std::size_t found_in(excuses e, std::initializer_list<std::pair<int, slot_state>> told, int through) {
  auto c = checker_with(e);
  for (const auto& [slot, state] : told) c.on_committed(closed(first + slot, state), some_time);
  return c.finish(first + through).size();
}

}  // namespace

TEST_CASE("slots: told once, true, without a hole is fine; all else is found") {
  constexpr auto off = slot_state::off, on = slot_state::on, unknown = slot_state::unknown;
  CHECK(found_in({}, {{0, off}, {1, off}}, 1) == 0);
  CHECK(found_in({}, {{0, off}, {1, off}}, 2) == 1);                   // never told
  CHECK(found_in({.absent = true}, {{0, off}, {1, off}}, 2) == 0);
  CHECK(found_in({}, {{0, off}, {2, off}}, 2) == 1);                   // a hole
  CHECK(found_in({}, {{0, off}, {0, off}}, 0) == 1);                   // twice
  CHECK(found_in({.twice = true}, {{0, off}, {0, off}}, 0) == 0);
  CHECK(found_in({.was_on = true}, {{0, off}}, 0) == 1);               // missed
  CHECK(found_in({}, {{0, on}}, 0) == 1);                              // invented
  CHECK(found_in({.visible = false}, {{0, off}}, 0) == 1);             // nobody saw, and it is called quiet
  CHECK(found_in({}, {{0, unknown}}, 0) == 1);                         // without a cause
  CHECK(found_in({.unknown = true}, {{0, unknown}}, 0) == 0);
}

TEST_CASE("energy: more or less than the meter counted is found") {
  for (const auto& [wh, wrong] : {std::pair{90u, false}, {100u, false}, {89u, true}, {101u, true}}) {
    energy_checker e;
    e.on_committed(closed(first, slot_state::on, wh), some_time);
    e.expect(home0, tv, {.first_low = 0, .first_high = 5, .last_low = 95, .last_high = 100});
    CHECK(e.finish().empty() != wrong);
  }
  energy_checker swapped;
  swapped.on_committed(closed(first, slot_state::on, 60), some_time);
  swapped.expect(home0, tv, {.first_low = 0, .first_high = 5, .last_low = 95, .last_high = 100, .lost = 30});
  CHECK(swapped.finish().empty());
}

// Goal: of a swapped meter only that is excused which the rule of one device at a time leaves to nobody.
TEST_CASE("energy: what a new meter counts is excused until the old one was silent for the gap limit, not longer") {
  constexpr millis limit = 45min;
  meter_truth m;
  m.read_at = some_time;
  m.on_swap(10);
  SECTION("the first reading behind the limit ends it") {
    m.on_reading(some_time + limit, 50, limit, true, true);
    CHECK(m.lost_from.has_value());
    m.on_reading(some_time + limit + 1ms, 60, limit, true, true);
    CHECK_FALSE(m.lost_from.has_value());
    CHECK(m.lost == 60);
    m.on_reading(some_time + 2 * limit, 90, limit, true, true);
    CHECK(m.lost == 60);
  }
  SECTION("under the old one's name it is the old one that is heard") {
    m.on_reading(some_time + 10min, 20, limit, false, true);
    m.on_reading(some_time + 10min + limit, 60, limit, true, true);
    CHECK(m.lost_from.has_value());
    m.on_reading(some_time + 11min + limit, 61, limit, true, true);
    CHECK(m.lost == 61);
  }
  SECTION("a reading that may not be believed ends nothing") {
    m.on_reading(some_time + 2 * limit, 60, limit, true, false);
    CHECK(m.lost_from.has_value());
    m.on_reading(some_time + 3 * limit, 70, limit, true, true);
    CHECK(m.lost == 70);
  }
  SECTION("a reset is over with the next reading, and another one counts anew") {
    m = {};
    m.on_reading(some_time, 5, limit, true, true);
    m.on_reset(8);
    m.on_reading(some_time + 1min, 9, limit, true, true);
    CHECK(m.lost == 9);
    CHECK_FALSE(m.lost_from.has_value());
  }
}

TEST_CASE("acks: naming what is not committed in this epoch, and too many frames in flight, are found") {
  constexpr outbox_epoch epoch{5}, other{6};
  acks_checker a{1};
  a.on_committed({relay::progress_write{.gateway = simulated_gateway(0), .epoch = epoch, .acked = 7}}, some_time);
  a.on_session(0);
  a.on_gateway_frame(0, hello_of(epoch, 1));
  a.on_relay_frame(0, wire::ack{7});
  CHECK(a.finish().empty());
  a.on_relay_frame(0, wire::ack{8});
  CHECK(a.finish().size() == 1);

  acks_checker anew{1};
  anew.on_committed({relay::progress_write{.gateway = simulated_gateway(0), .epoch = epoch, .acked = 7}}, some_time);
  anew.on_session(0);
  anew.on_gateway_frame(0, hello_of(other, 3));
  anew.on_relay_frame(0, wire::ack{2});  // gone, as the gateway says
  CHECK(anew.finish().empty());
  anew.on_relay_frame(0, wire::ack{7});
  CHECK(anew.finish().size() == 1);

  acks_checker flood{1};
  wire::records one{.first_seq = 1, .items = {wire::record{}}};
  for (int i = 0; i < 8; ++i, ++one.first_seq) flood.on_gateway_frame(0, one);
  CHECK(flood.finish().empty());
  flood.on_gateway_frame(0, one);
  CHECK(flood.finish().size() == 1);
}

namespace {

constexpr ruled_appliance one_day{.home = home0, .appliance = tv, .quiet_days = 1, .watched_from = first};
constexpr relay::episode_key unused_key{home0, relay::episode_kind::unused, tv, first + 1};

// Slots first .. first+96 quiet; the alert beside the slot `with` of them, opened `early` before the end of the last.
violations judged(int with, millis early, int times = 1) {
  relay::memory_store store;
  store.edit_directory().homes[home0].id = home0;
  alerts_checker c{{one_day}, 0ms};
  relay::episode alert;
  alert.key = unused_key;
  alert.opened = end_of(first + 96) - early;
  for (int i = 0; i <= 98; ++i) {
    auto batch = closed(first + i, slot_state::off);
    for (int n = 0; i == with && n < times; ++n) batch.emplace_back(relay::episode_open_write{alert});
    (void)store.commit(batch);
    c.on_committed(batch, end_of(first + i));
  }
  return c.finish(store, first + 98);
}

}  // namespace

TEST_CASE("alerts: missing, invented, doubled, early and late ones are found") {
  CHECK(judged(96, 0ms).empty());
  CHECK(judged(96, 1ms).size() == 1);   // too early
  CHECK(judged(97, 0ms).size() == 1);   // late: a commit after the slot that completes it
  CHECK(judged(96, 0ms, 2).size() == 1);
  CHECK(judged(-1, 0ms).size() == 2);   // late, and missing in the end
  relay::memory_store empty;
  alerts_checker invented{{one_day}, 0ms};
  relay::episode alert;
  alert.key = unused_key;
  invented.on_committed({relay::episode_open_write{alert}}, some_time);
  CHECK(invented.finish(empty, first + 96).size() == 1);
}

namespace {

constexpr contact_id reader{1};
const relay::mail_key opening{.episode = unused_key, .edge = relay::mail_edge::opened, .to = reader};

mails_checker with_one_mail() {
  mails_checker c{[](const relay::episode_key&) { return std::vector<contact_id>{reader}; }};
  relay::episode e;
  e.key = unused_key;
  e.opened = some_time;
  relay::mail m;
  m.key = opening;
  m.message_id = "a@b";
  c.on_committed({relay::episode_open_write{e}, relay::mail_queue_write{m}}, some_time);
  return c;
}

relay::mail the_mail(std::string id = "a@b") {
  relay::mail m;
  m.key = opening;
  m.message_id = std::move(id);
  return m;
}

}  // namespace

TEST_CASE("mails: one of each; again only where the relay could not know") {
  const wall_at later = some_time + 1h;
  auto never = with_one_mail();
  CHECK(never.finish(later).size() == 1);
  CHECK(never.finish(some_time).empty());  // may still be on its way

  auto right = with_one_mail();
  right.on_mail_submitted(the_mail(), some_time);
  right.on_mail_accepted(the_mail(), some_time, false);
  CHECK(right.finish(later).empty());
  right.on_mail_accepted(the_mail(), some_time, false);
  CHECK(right.finish(later).size() == 1);

  auto unheard = with_one_mail();
  unheard.on_mail_accepted(the_mail(), some_time, true);
  unheard.on_mail_accepted(the_mail(), some_time, false);
  unheard.on_relay_down(some_time);
  unheard.on_mail_accepted(the_mail(), some_time, false);
  CHECK(unheard.finish(later).empty());
  unheard.on_committed({relay::mail_result_write{.key = opening, .state = relay::mail_state::sent, .attempts = 2,
                                                 .not_before = {}, .last_error = {}}},
                       some_time);
  unheard.on_mail_submitted(the_mail(), some_time);
  CHECK(unheard.finish(later).size() == 1);  // after its end

  auto other = with_one_mail();
  other.on_mail_submitted(the_mail("c@d"), some_time);
  other.on_mail_rejected(the_mail());
  CHECK(other.finish(later).size() == 1);    // another Message-ID

  auto stray = with_one_mail();
  relay::mail closing = the_mail();
  closing.key.edge = relay::mail_edge::closed;
  stray.on_mail_submitted(closing, some_time);
  CHECK_FALSE(stray.finish(some_time).empty());
}

namespace {

// A home with one ruled appliance, its slots known up to `first` + 4, and a relay that has been up all the time.
sight_checker with_sight() {
  sight_checker c{{{.watched_from = first, .blind_provider_after = 1h, .blind_family_after = 6h, .ruled = {true}}}, 1min};
  c.on_relay_up(start_of(first) - 1h);
  for (int i = 1; i <= 4; ++i) c.on_committed(closed(first + i, slot_state::off), end_of(first + i));
  return c;
}

relay::write_batch blind(relay::episode_kind kind, slot_index since, wall_at at) {
  relay::episode e;
  e.key = {home0, kind, {}, since};
  e.opened = at;
  return {relay::episode_open_write{e}};
}

}  // namespace

TEST_CASE("sight: notices too early, missing, of known slots, and not closed are found") {
  using relay::episode_kind;
  const slot_index since = first + 5;
  const wall_at due = start_of(since) + 1h;
  const auto provider = blind(episode_kind::blind_provider, since, due);

  auto right = with_sight();
  right.on_committed(provider, due);
  right.on_committed({close_of({home0, episode_kind::blind_provider, {}, since}, end_of(first + 20))}, end_of(first + 20));
  CHECK(right.finish(end_of(first + 20)).size() == 1);  // closed without sight

  auto early = with_sight();
  early.on_committed(blind(episode_kind::blind_provider, since, due - 1ms), due);
  CHECK(early.finish(due).size() == 2);                 // and still open at the end
  auto wrong = with_sight();
  wrong.on_committed(blind(episode_kind::blind_provider, since - 1, due), due);
  CHECK(wrong.finish(due).size() == 2);

  auto missing = with_sight();
  CHECK(missing.finish(due).empty());
  CHECK(missing.finish(due + 2min).size() == 1);
  auto away = with_sight();                             // a relay that is down need not tell
  away.on_relay_down(due - 1min);
  CHECK(away.finish(due + 2h).empty());
  away.on_relay_up(due + 2h);
  CHECK(away.finish(due + 2h + 15min).empty());         // nor in its time of grace
  CHECK(away.finish(due + 2h + 17min).size() == 1);

  auto open = with_sight();
  open.on_committed(provider, due);
  open.on_committed(closed(first + 12, slot_state::off), end_of(first + 12));
  CHECK_FALSE(open.finish(end_of(first + 12)).empty()); // seen again, and still called blind
}

TEST_CASE("sight: a fault without an episode, and an episode without a fault, are found") {
  const wire::device_fault bad{.device = "a/b", .faulty = true, .description = 0, .appliance = tv};
  auto untold = with_sight();
  untold.on_committed({relay::fault_write{home0, bad, some_time}}, end_of(first + 5));
  CHECK(untold.finish(end_of(first + 5)).size() == 1);
  auto invented = with_sight();
  relay::episode e;
  e.key = {home0, relay::episode_kind::device_fault, tv, first + 5};
  invented.on_committed({relay::episode_open_write{e}}, end_of(first + 5));
  CHECK(invented.finish(end_of(first + 5)).size() == 1);
}

TEST_CASE("time that stands still is told, with who does it; many homes at one moment are not that") {
  instant_watch one{1};
  const event wake{.at = mono_time{5s}, .home = 0, .kind = event_kind::relay_wake};
  std::uint64_t taken = 0;
  while (one.on_event(wake)) ++taken;
  CHECK(taken + 1 == events_at_one_instant_base + events_at_one_instant_per_home);
  CHECK(one.what(wake) == "time stands still at 5000 ms: 10200 events, the last one relay_wake of home 0");
  instant_watch many{1'000};
  for (std::uint32_t h = 0; h < 200'000; ++h) REQUIRE(many.on_event(wake));
  event later = wake;
  later.at += 1ms;
  for (std::uint32_t h = 0; h < 200'000; ++h) REQUIRE(many.on_event(later));  // counted anew
}
