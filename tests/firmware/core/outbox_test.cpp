#include "firmware/core/outbox.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr mono_time t0 = mono_from_ms(1'000);
constexpr wall_at made = wall_from_ms(1'700'000'000'000);

wire::record event_record(std::int64_t value) { return {wire::event{wire::event_kind::started, value}, made}; }

wire::record slot_record(int slot, std::uint16_t appliances) {
  wire::slot_closed closed;
  closed.slot = slot0 + slot;
  closed.time_uncertain = true;
  for (std::uint16_t i = 1; i <= appliances; ++i) {
    wire::appliance_slot a;
    a.appliance = appliance_id{static_cast<std::uint16_t>(60'000 + i)};
    a.state = slot_state::on;
    a.on_seconds = 900;
    a.energy_wh = 100'000;
    a.energy_after_gap = true;
    a.readings_expected = 900;
    a.readings_got = 900;
    closed.appliances.push_back(a);
  }
  return {closed, in_slot(slot, 0)};
}

struct desk {
  memory_outbox disk{5};
  memory_outbox_store store{disk};
  outbox_limits limits;
  std::optional<outbox> log;
  void open() {
    log.emplace(store, limits, null_log());
    REQUIRE(log->load(t0));
  }
  std::vector<std::int64_t> values(wire::event_kind kind = wire::event_kind::started) {
    std::vector<std::int64_t> out;
    for (const auto& record : disk.records) {
      const auto decoded = wire::decode_record(record.data);
      REQUIRE(decoded);
      const auto* event = std::get_if<wire::event>(&decoded->body);
      if (event && event->kind == kind) out.push_back(event->value);
    }
    return out;
  }
};

}  // namespace

// Goal: the promise of 40 days of quarter hours for ten appliances, with the largest records there can be.
TEST_CASE("forty days of slots of ten appliances are held without dropping one") {
  desk d;
  d.open();
  for (int i = 0; i < 40 * slots_per_day; ++i) {
    d.log->append(slot_record(i, 10));
    REQUIRE(d.log->commit(t0, made));
  }
  CHECK(d.log->counts().dropped == 0);
  CHECK(d.log->held() == 40 * slots_per_day);
  CHECK(d.log->oldest() == 1);
}

TEST_CASE("a full outbox gives up a day of the oldest and says so in a record") {
  desk d;
  d.limits.records_max = 200;
  d.limits.drop_count = 96;
  d.open();
  for (int i = 1; i <= 201; ++i) {
    d.log->append(event_record(i));
    REQUIRE(d.log->commit(t0, made));
  }
  CHECK(d.log->counts().dropped == 96);
  CHECK(d.log->oldest() == 97);
  CHECK(d.disk.records.front().seq == 97);
  CHECK(d.values(wire::event_kind::records_dropped) == std::vector<std::int64_t>{96});
  CHECK(d.log->held() == 106);
}

TEST_CASE("the limit of bytes holds too") {
  desk d;
  d.limits.bytes_max = 20'000;
  d.limits.drop_count = 10;
  d.open();
  for (int i = 0; i < 300; ++i) {
    d.log->append(slot_record(i, 32));
    REQUIRE(d.log->commit(t0, made));
    REQUIRE(d.log->held_bytes() < 21'000);
  }
  CHECK(d.log->counts().dropped > 0);
}

TEST_CASE("acknowledged records are forgotten with the next commit, and sizes follow over a restart") {
  desk d;
  d.open();
  for (int i = 1; i <= 5; ++i) d.log->append(event_record(i));
  REQUIRE(d.log->commit(t0, made));
  d.log->acknowledge(3);
  CHECK(d.log->held() == 2);
  CHECK(d.log->oldest() == 4);
  CHECK_FALSE(d.log->waiting());
  CHECK(d.disk.records.size() == 5);
  d.log->append(event_record(6));
  REQUIRE(d.log->commit(t0, made));
  CHECK(d.disk.records.size() == 3);
  const auto bytes_held = d.log->held_bytes();
  d.open();
  CHECK(d.log->held() == 3);
  CHECK(d.log->held_bytes() == bytes_held);
  CHECK(d.log->maybe_received() == 6);
  d.log->session_began(5);
  CHECK(d.log->maybe_received() == 5);
  CHECK(d.log->held() == 1);
}

// Goal: fail at the n-th commit for each n: in the end every record is there once, in order.
TEST_CASE("failing commits are tried again, nothing is lost, doubled or reordered") {
  for (std::uint64_t at = 1; at <= 12; ++at) {
    for (std::uint64_t count = 1; count <= 3; ++count) {
      desk d;
      d.disk.fail_from = at;
      d.disk.fail_count = count;
      d.open();
      mono_time now = t0;
      for (int i = 1; i <= 10; ++i) {
        d.log->append(event_record(i));
        const bool done = d.log->commit(now, made);
        if (!done) CHECK(d.log->next_wake() <= now + store_retry);
        now += 2s;
        if (!d.log->loaded()) d.log->load(now);
      }
      while (d.log->waiting()) {
        now += 1s;
        d.log->load(now);
        d.log->commit(now, made);
      }
      CHECK(d.values() == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
      CHECK(d.log->healthy());
      CHECK(d.log->next_wake() == never);
    }
  }
}

TEST_CASE("a commit that is there after all is not made twice") {
  desk d;
  d.open();
  d.log->append(event_record(1));
  d.log->append(event_record(2));
  d.disk.cut_at = 1;
  d.disk.cut_when = memory_outbox::cut::after;  // durable, and yet the store said no
  CHECK_FALSE(d.log->commit(t0, made));
  d.disk.power_on();
  d.log->append(event_record(3));
  CHECK_FALSE(d.log->commit(t0, made));
  d.log->load(t0 + store_retry);
  REQUIRE(d.log->commit(t0 + store_retry, made));
  CHECK(d.values() == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("while the store fails memory is bounded and the oldest give way") {
  desk d;
  d.limits.pending_max = 10;
  d.open();
  d.disk.fail_from = 1;
  d.disk.fail_count = 1;
  d.log->append(event_record(1));
  CHECK_FALSE(d.log->commit(t0, made));
  for (int i = 2; i <= 30; ++i) d.log->append(event_record(i));
  CHECK(d.log->pending() == 10);
  CHECK(d.log->counts().dropped == 20);
  d.log->load(t0 + store_retry);
  REQUIRE(d.log->commit(t0 + store_retry, made));
  CHECK(d.values().back() == 30);
  CHECK(d.values(wire::event_kind::records_dropped).size() == 1);
}

TEST_CASE("replacing held and pending records") {
  desk d;
  d.open();
  d.log->append(event_record(1));
  d.log->append(event_record(2));
  REQUIRE(d.log->commit(t0, made));
  d.log->append(event_record(3));
  d.log->replace(2, event_record(20));
  d.log->replace(3, event_record(30));
  d.log->replace(2, event_record(21));
  CHECK(d.log->rewriting());
  const auto logged = d.log->logged(1, 100);
  REQUIRE(logged);
  REQUIRE(logged->size() == 3);
  CHECK((*logged)[1].data == wire::encode_record(event_record(21)));
  CHECK((*logged)[2].data == wire::encode_record(event_record(30)));
  REQUIRE(d.log->commit(t0, made));
  CHECK(d.values() == std::vector<std::int64_t>{1, 21, 30});
  CHECK_FALSE(d.log->rewriting());
  d.log->acknowledge(2);
  d.log->replace(1, event_record(9));  // not held any more
  CHECK_FALSE(d.log->rewriting());
}

TEST_CASE("sequences that the relay has and the store has lost are filled, up to a limit") {
  desk d;
  d.open();
  d.log->append(event_record(1));
  REQUIRE(d.log->commit(t0, made));
  CHECK_FALSE(d.log->fill_through(5000));
  CHECK(d.log->fill_through(4));
  d.log->append(event_record(5));
  REQUIRE(d.log->commit(t0, made));
  CHECK(d.log->next() == 6);
  CHECK(d.values() == std::vector<std::int64_t>{1, 5});
}

TEST_CASE("a hole in the stored log is corruption, told and tried again, not sent around") {
  desk d;
  d.open();
  for (int i = 1; i <= 3; ++i) d.log->append(event_record(i));
  REQUIRE(d.log->commit(t0, made));
  d.disk.records.erase(d.disk.records.begin() + 1);
  d.log.emplace(d.store, d.limits, null_log());
  CHECK_FALSE(d.log->load(t0));
  CHECK_FALSE(d.log->loaded());
  CHECK_FALSE(d.log->healthy());
  CHECK(d.log->next_wake() == t0 + store_retry);
}
