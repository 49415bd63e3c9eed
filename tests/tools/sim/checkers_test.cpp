// Goal: every checker of the simulator can fail. Each is shown one thing that must not happen.
#include "relay/ports/memory_store.hpp"
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/checkers/alerts.hpp"
#include "tools/sim.d/checkers/energy.hpp"
#include "tools/sim.d/checkers/slots.hpp"

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

slots_checker checker_with(bool was_on, bool may_be_unknown) {
  return {1, first, {.was_on = [was_on](std::uint32_t, appliance_id, slot_index) { return was_on; },
                     .may_be_unknown = [may_be_unknown](std::uint32_t, slot_index) { return may_be_unknown; }}};
}

}  // namespace

TEST_CASE("slots: told once, true, without a hole is fine; all else is found") {
  auto good = checker_with(false, false);
  good.on_committed(closed(first, slot_state::off));
  good.on_committed(closed(first + 1, slot_state::off));
  CHECK(good.finish(first + 1).empty());
  CHECK(good.finish(first + 2).size() == 1);  // never told

  auto twice = checker_with(false, false);
  twice.on_committed(closed(first, slot_state::off));
  twice.on_committed(closed(first, slot_state::off));
  CHECK(twice.finish(first).size() == 1);

  auto hole = checker_with(false, false);
  hole.on_committed(closed(first, slot_state::off));
  hole.on_committed(closed(first + 2, slot_state::off));
  CHECK(hole.finish(first + 2).size() == 1);

  auto missed = checker_with(true, false);
  missed.on_committed(closed(first, slot_state::off));
  CHECK(missed.finish(first).size() == 1);

  auto invented = checker_with(false, false);
  invented.on_committed(closed(first, slot_state::on));
  CHECK(invented.finish(first).size() == 1);

  auto blind = checker_with(false, false);
  blind.on_committed(closed(first, slot_state::unknown));
  CHECK(blind.finish(first).size() == 1);
  auto honest = checker_with(false, true);
  honest.on_committed(closed(first, slot_state::unknown));
  CHECK(honest.finish(first).empty());
}

TEST_CASE("energy: more or less than the meter counted is found") {
  for (const auto& [wh, wrong] : {std::pair{90u, false}, {100u, false}, {89u, true}, {101u, true}}) {
    energy_checker e;
    e.on_committed(closed(first, slot_state::on, wh));
    e.expect(home0, tv, {.first_low = 0, .first_high = 5, .last_low = 95, .last_high = 100});
    CHECK(e.finish().empty() != wrong);
  }
}

TEST_CASE("acks: naming what is not committed is found") {
  acks_checker a;
  relay::write_batch progress{relay::progress_write{.gateway = simulated_gateway(0), .epoch = {}, .acked = 7}};
  a.on_committed(progress);
  a.on_relay_frame(0, wire::ack{7});
  CHECK(a.finish().empty());
  a.on_relay_frame(0, wire::ack{8});
  CHECK(a.finish().size() == 1);
}

TEST_CASE("alerts: missing, invented, doubled and early ones are found") {
  relay::memory_store store;
  store.edit_directory().homes[home0].id = home0;
  for (int i = 0; i <= 96; ++i)
    REQUIRE(store.commit(closed(first + i, slot_state::off)));
  const std::vector<ruled_appliance> rules{{.home = home0, .appliance = tv, .quiet_days = 1, .watched_from = first, .recipients = 1}};
  relay::episode alert;
  alert.key = {home0, relay::episode_kind::unused, tv, first + 1};
  alert.opened = end_of(first + 96);
  relay::mail letter;
  letter.key = {.episode = alert.key, .edge = relay::mail_edge::opened, .to = contact_id{1}};

  alerts_checker none;
  CHECK_FALSE(none.finish(store, first + 96, rules).empty());
  CHECK(none.finish(store, first + 95, rules).empty());

  alerts_checker right;
  right.on_committed({relay::episode_open_write{alert}});
  right.on_mail_accepted(letter, {});
  CHECK(right.finish(store, first + 96, rules).empty());
  right.on_mail_accepted(letter, {});
  CHECK_FALSE(right.finish(store, first + 96, rules).empty());  // a mail too many

  alerts_checker early;
  alert.opened -= 1ms;
  early.on_committed({relay::episode_open_write{alert}});
  early.on_mail_accepted(letter, {});
  CHECK(early.finish(store, first + 96, rules).size() == 1);
}
