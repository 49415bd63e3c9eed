// Goal: slots that wait for their commit are seen as the store will hold them, and the past of an appliance is read from both.
#include "relay/core/appliance_past.hpp"
#include "relay/ports/memory_store.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr home_id here{1};
constexpr appliance_id tv{1};
constexpr slot_index midnight{1'900'800};
constexpr std::int32_t days_back = 400;

struct view_bench {
  memory_store store;
  relay::limits limits{};
  health count;
  commit_queue commits{limits, count, null_log()};

  view_bench() {
    home h;
    h.id = here;
    store.edit_directory().homes[here] = h;
  }
  static relay::write slot(slot_index at, slot_state state, appliance_id id = tv, bool uncertain = false) {
    wire::appliance_slot a;
    a.appliance = id;
    a.state = state;
    a.readings_expected = 15;
    a.readings_got = state == slot_state::unknown ? 0 : 15;
    return slots_write{here, {.slot = at, .time_uncertain = uncertain, .appliances = {a}}};
  }
  static relay::write gap(slot_index first, std::uint32_t n, appliance_id id = tv) {
    gap_write g;
    g.home = here;
    g.gap = {.first_slot = first, .count = n, .reason = wire::gap_reason::gateway_off, .time_uncertain = false, .appliances = {id}};
    return g;
  }
  cell_view view() { return {store, commits, here, tv}; }
  void stored(relay::write w) { REQUIRE(store.commit({std::move(w)})); }
};

slot_cell at(cell_view& v, slot_index s) {
  const auto day = v.read(day_of(s));
  REQUIRE(day);
  return (**day)[static_cast<std::size_t>(s - first_slot_of(day_of(s)))];
}

}  // namespace

TEST_CASE("a waiting slot is seen unless what is stored stands; a waiting gap fills what is absent") {
  view_bench b;
  b.stored(b.slot(midnight, slot_state::on));
  b.stored(b.slot(midnight + 1, slot_state::on, tv, true));  // its time was uncertain
  b.commits.add(b.slot(midnight, slot_state::off));          // told a second time: the first stands
  b.commits.add(b.slot(midnight + 1, slot_state::off));
  b.commits.add(b.gap(midnight + 1, 2));
  b.commits.add(b.slot(midnight + 3, slot_state::on, appliance_id{2}));  // of another appliance
  b.commits.add(b.gap(midnight + 3, 1, appliance_id{2}));
  cell_view v = b.view();
  CHECK(at(v, midnight).state == slot_state::on);
  CHECK(at(v, midnight + 1).state == slot_state::off);
  CHECK(at(v, midnight + 2).present);
  CHECK(at(v, midnight + 2).state == slot_state::unknown);
  CHECK_FALSE(at(v, midnight + 3).present);
  CHECK(v.days_read() == 1);
}

TEST_CASE("a waiting gap over midnight lies in both days") {
  view_bench b;
  b.commits.add(b.gap(midnight - 1, 2));
  cell_view v = b.view();
  CHECK_FALSE(at(v, midnight - 2).present);
  CHECK(at(v, midnight - 1).present);
  CHECK(at(v, midnight).present);
  CHECK_FALSE(at(v, midnight + 1).present);
  CHECK(v.days_read() == 2);
}

TEST_CASE("the newest day is that of the store or of what waits, whichever is later") {
  view_bench b;
  CHECK(b.view().newest_day().value() == std::nullopt);
  b.commits.add(b.slot(midnight, slot_state::off));
  CHECK(b.view().newest_day().value() == day_of(midnight));
  b.stored(b.slot(midnight + slots_per_day, slot_state::off));
  CHECK(b.view().newest_day().value() == day_of(midnight + slots_per_day));
  b.commits.add(b.gap(midnight + 2 * slots_per_day - 1, 2));  // its end counts
  CHECK(b.view().newest_day().value() == day_of(midnight + 2 * slots_per_day));
}

TEST_CASE("looking back goes to the last use and says what lies behind it") {
  view_bench b;
  cell_view none = b.view();
  CHECK_FALSE(look_back(none, midnight, days_back)->through);

  b.stored(b.slot(midnight, slot_state::on));
  b.stored(b.slot(midnight + 1, slot_state::on));
  b.stored(b.slot(midnight + 2, slot_state::off));
  b.stored(b.gap(midnight + 3, 2));
  b.commits.add(b.slot(midnight + 5, slot_state::unknown));  // asked, and nothing was heard: no gap
  cell_view v = b.view();
  const auto past = look_back(v, midnight, days_back);
  REQUIRE(past);
  CHECK(past->through == midnight + 5);
  CHECK(past->gap_through == midnight + 4);
  CHECK(past->known_through == midnight + 2);
  CHECK(past->last_on == midnight + 1);
  CHECK(*last_on_before(v, midnight + 1, midnight, days_back) == midnight);
  CHECK(*last_on_before(v, midnight, midnight - 10, days_back) == std::nullopt);
  CHECK(look_back(v, midnight + 2, days_back)->last_on == std::nullopt);  // not further than asked
}

TEST_CASE("a day that cannot be read makes no past, and is asked for again") {
  view_bench b;
  b.stored(b.slot(midnight, slot_state::on));
  cell_view v = b.view();
  b.store.fail_reads(2);
  CHECK_FALSE(look_back(v, midnight, days_back));
  CHECK_FALSE(last_on_before(v, midnight + 1, midnight, days_back));
  CHECK(look_back(v, midnight, days_back)->last_on == midnight);
  b.store.fail_loads(true);
  CHECK_FALSE(look_back(v, midnight, days_back));
}

TEST_CASE("what waits and is neither slot nor gap is no cell") {
  view_bench b;
  b.commits.add(recount_write{here, tv, midnight});
  cell_view v = b.view();
  CHECK_FALSE(at(v, midnight).present);
}
