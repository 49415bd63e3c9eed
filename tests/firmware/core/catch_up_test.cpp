// Goal: taking back slots of the future leaves alone what the relay may have and what it cannot read, and changes nothing if it fails.
#include "firmware/core/catch_up.hpp"
#include "firmware/core/timeline.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr mono_time t0 = mono_from_ms(1'000);

class store_without_reads final : public outbox_store {
public:
  explicit store_without_reads(memory_outbox& medium) : inner_(medium) {}
  result<outbox_state> load() override { return inner_.load(); }
  status commit(const outbox_batch& batch) override { return inner_.commit(batch); }
  result<std::vector<stored_record>> read(record_seq from, std::size_t count_max) override {
    if (reads_fail) return fail(errc::storage_io, "injected");
    return inner_.read(from, count_max);
  }
  bool reads_fail = false;

private:
  memory_outbox_store inner_;
};

// A log of the slots 0..9, stored, and an aggregator that stands in slot 10.
struct ahead_bench : bench {
  memory_outbox disk{1};
  store_without_reads store{disk};
  outbox log{store, {}, null_log()};

  ahead_bench() {
    configure(config_of({appliance(1)}));
    REQUIRE(log.load(t0));
    begin(in_slot(0, 0));
    for (int i = 1; i <= 10; ++i) advance(in_slot(i, 0));
    for (const auto& body : out.records) log.append({body, in_slot(10, 0)});
    REQUIRE(log.commit(t0, in_slot(10, 0)));
    REQUIRE(disk.records.size() == 10);
    log.session_began(0);
  }
  std::vector<slot_index> told() {
    std::vector<slot_index> found;
    const auto all = log.logged(1, 100);
    REQUIRE(all);
    for (const auto& logged : *all) {
      const auto record = wire::decode_record(logged.data);
      if (!record) continue;
      if (const auto* slot = std::get_if<wire::slot_closed>(&record->body)) found.push_back(slot->slot);
    }
    return found;
  }
};

}  // namespace

TEST_CASE("slots of the future that nobody has are taken back, those before stay") {
  ahead_bench b;
  CHECK(catch_up(slot0 + 4, b.log, b.slots).value());
  CHECK(b.slots.open_slot() == slot0 + 4);
  CHECK(b.told() == std::vector{slot0, slot0 + 1, slot0 + 2, slot0 + 3});
}

TEST_CASE("slots of the future that the relay may have stay, those behind them are taken back") {
  ahead_bench b;
  b.log.mark_sent(7);  // slots 0..6
  CHECK(catch_up(slot0 + 4, b.log, b.slots).value());
  CHECK(b.slots.open_slot() == slot0 + 7);
  CHECK(b.told().back() == slot0 + 6);
  CHECK_FALSE(catch_up(slot0 + 4, b.log, b.slots).value());  // nothing left that could be
}

TEST_CASE("a record that cannot be read as one is stepped over") {
  ahead_bench b;
  b.disk.records[5].data = {0xff};
  CHECK(catch_up(slot0 + 4, b.log, b.slots).value());
  CHECK(b.told().size() == 4);
  CHECK(b.log.logged(6, 1).value()[0].data == bytes{0xff});
}

TEST_CASE("a log that cannot be read: an error, nothing is changed, and the next try does it") {
  ahead_bench b;
  b.store.reads_fail = true;
  CHECK_FALSE(catch_up(slot0 + 4, b.log, b.slots));
  CHECK(b.slots.open_slot() == slot0 + 10);
  b.store.reads_fail = false;
  CHECK(b.told().size() == 10);
  CHECK(catch_up(slot0 + 4, b.log, b.slots).value());
}

TEST_CASE("readings of several appliances from before time was known are played each to its own") {
  timeline line{wall_from_ms(1'600'000'000'000)};
  aggregator_output out;
  line.on_start(t0);
  line.configure(t0, config_of({appliance(1), appliance(2)}));
  CHECK_FALSE(line.ahead(t0));  // no slot is open
  line.on_reading(t0, 0, state_reading(false), out);
  line.on_reading(t0, 1, state_reading(true), out);
  line.on_system_clock(t0 + 1s, {in_slot(0, 1'000), true}, out);
  line.advance(t0 + 15min, out);
  const auto closed = only<wire::slot_closed>(out);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].appliances[0].state == slot_state::unknown);
  CHECK(closed[0].appliances[1].state == slot_state::on);
  CHECK_FALSE(line.ahead(t0 + 15min));
}
