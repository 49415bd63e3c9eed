// Goal: the outbox's rare turns, each made to happen: reads that fail or find nothing, another log under the same roof, a commit
// in doubt, replaced records that are given up before they are stored, room made where nothing is held yet.
#include "firmware/core/outbox.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <string>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr mono_time t0 = mono_from_ms(1'000);
constexpr wall_at made = wall_from_ms(1'700'000'000'000);

wire::record event_record(std::int64_t value) { return {wire::event{wire::event_kind::started, value}, made}; }

// The store in memory, whose reads fail or find nothing when asked to.
class half_blind_store final : public outbox_store {
public:
  explicit half_blind_store(memory_outbox& medium) : inner_(medium) {}
  result<outbox_state> load() override { return inner_.load(); }
  status commit(const outbox_batch& batch) override {
    last = batch;
    auto done = inner_.commit(batch);
    if (fails_and_is_there) return fail(errc::storage_io, "injected");
    return done;
  }
  result<std::vector<stored_record>> read(record_seq from, std::size_t count_max) override {
    if (reads_fail) return fail(errc::storage_io, "injected");
    if (reads_empty) return std::vector<stored_record>{};
    return inner_.read(from, count_max);
  }
  bool fails_and_is_there = false;
  bool reads_fail = false;
  bool reads_empty = false;
  outbox_batch last;

private:
  memory_outbox_store inner_;
};

// Counts lines by their event.
class counting_log final : public log_sink {
public:
  void write(log_level, std::string_view, std::string_view event, std::span<const log_field>) override { ++lines[std::string(event)]; }
  std::map<std::string, int> lines;
};

struct desk {
  memory_outbox disk{5};
  half_blind_store store{disk};
  outbox_limits limits;
  std::optional<outbox> log;
  void open() {
    log.emplace(store, limits, null_log());
    REQUIRE(log->load(t0));
  }
  void store_events(int count) {
    for (int i = 1; i <= count; ++i) log->append(event_record(i));
    REQUIRE(log->commit(t0, made));
  }
};

}  // namespace

TEST_CASE("a log that is loaded is not loaded again, and nothing is committed before it is") {
  desk d;
  d.log.emplace(d.store, d.limits, null_log());
  CHECK_FALSE(d.log->commit(t0, made));
  CHECK(d.log->load(t0));
  CHECK_FALSE(d.log->load(t0));
  CHECK(d.log->loaded());
}

TEST_CASE("a read that fails or finds nothing while loading is a load that failed") {
  desk d;
  d.open();
  d.store_events(3);
  for (const bool fails : {true, false}) {
    d.log.emplace(d.store, d.limits, null_log());
    (fails ? d.store.reads_fail : d.store.reads_empty) = true;
    CHECK_FALSE(d.log->load(t0));
    CHECK_FALSE(d.log->load(t0 + store_retry - 1ms));  // not due
    CHECK_FALSE(d.log->load(t0 + store_retry));        // again; told once only
    CHECK(d.log->counts().failures == 2);
    d.store.reads_fail = d.store.reads_empty = false;
    CHECK(d.log->load(t0 + 2 * store_retry));
    CHECK(d.log->held() == 3);
  }
}

TEST_CASE("what is asked of a store that cannot be read is an error, not an empty log") {
  desk d;
  d.open();
  d.store_events(3);
  d.log->append(event_record(4));
  CHECK(d.log->logged(1, 2)->size() == 2);
  CHECK(d.log->logged(1, 3)->size() == 3);
  CHECK(d.log->logged(4, 9)->size() == 1);
  CHECK(d.log->logged(5, 9)->empty());
  d.store.reads_empty = true;
  CHECK(d.log->logged(1, 9).error().code == errc::storage_corrupt);
  CHECK(d.log->read(1, 9)->empty());
  d.store.reads_fail = true;
  CHECK(d.log->logged(1, 9).error().code == errc::storage_io);
  CHECK(d.log->read(1, 9).error().code == errc::storage_io);
}

TEST_CASE("another log under the same roof: what was acknowledged is forgotten, what waits goes into it") {
  desk d;
  d.open();
  d.store_events(3);
  d.log->acknowledge(2);
  d.log->append(event_record(4));
  d.log->replace(3, event_record(30));
  d.disk.fail_from = d.disk.commits + 1;
  d.disk.fail_count = 1;
  CHECK_FALSE(d.log->commit(t0, made));
  d.disk.recreate(6);
  CHECK_FALSE(d.log->load(t0 + store_retry));  // not the first time
  CHECK(d.log->loaded());
  CHECK(d.log->take_recreated());
  CHECK_FALSE(d.log->take_recreated());
  CHECK(d.log->epoch() == outbox_epoch{6});
  CHECK(d.log->acknowledged() == 0);
  CHECK_FALSE(d.log->rewriting());
  REQUIRE(d.log->commit(t0 + store_retry, made));
  CHECK(d.disk.records.size() == 1);
  CHECK(d.log->next() == 2);
}

// Found by the simulator: a frame took such a record along, and its acknowledgement was of more than was held.
TEST_CASE("while a commit is in doubt nothing of it is read, though the store has it") {
  desk d;
  d.open();
  d.store_events(2);
  d.store.fails_and_is_there = true;
  d.log->append(event_record(3));
  CHECK_FALSE(d.log->commit(t0, made));
  REQUIRE(d.disk.records.size() == 3);
  CHECK(d.log->read(1, 9)->size() == 2);
  CHECK(d.log->read(3, 9)->empty());
  CHECK(d.log->logged(1, 9)->size() == 3);  // the third one as it waits
  d.store.fails_and_is_there = false;
  d.log->load(t0 + store_retry);
  CHECK(d.log->held() == 3);
  CHECK(d.log->read(1, 9)->size() == 3);
}

TEST_CASE("while a commit is in doubt no sequence is filled") {
  desk d;
  d.open();
  d.log->append(event_record(1));
  d.disk.fail_from = 1;
  d.disk.fail_count = 1;
  CHECK_FALSE(d.log->commit(t0, made));
  CHECK_FALSE(d.log->fill_through(2));
  d.log->load(t0 + store_retry);
  CHECK(d.log->fill_through(2));
}

TEST_CASE("a record replaced and given up in one turn is not written") {
  desk d;
  d.open();
  d.store_events(3);
  d.log->replace(1, event_record(10));
  d.log->replace(3, event_record(30));
  d.log->acknowledge(2);
  d.log->set_config({1});
  d.log->set_checkpoint({2});
  CHECK(d.log->waiting());
  REQUIRE(d.log->commit(t0, made));
  REQUIRE(d.store.last.replace.size() == 1);
  CHECK(d.store.last.replace[0].seq == 3);
  CHECK(d.store.last.trim_through == 2);
  CHECK(d.disk.checkpoint == bytes{2});
  CHECK(d.disk.config == bytes{1});
}

TEST_CASE("more waits than may be held, and nothing is held: it is kept, and nothing is told as given up") {
  desk d;
  d.limits.records_max = 5;
  d.open();
  d.store_events(8);
  CHECK(d.log->held() == 8);
  CHECK(d.log->counts().dropped == 0);
  // Now there is something to give up: all of it, and no more than there is.
  d.limits.drop_count = 96;
  d.log->append(event_record(9));
  REQUIRE(d.log->commit(t0, made));
  CHECK(d.log->counts().dropped == 8);
  CHECK(d.log->held() == 2);
}

TEST_CASE("whatever waits makes a commit due: a record, a replaced one, a configuration, a checkpoint") {
  desk d;
  d.open();
  d.store_events(1);
  CHECK_FALSE(d.log->waiting());
  d.log->replace(1, event_record(2));
  CHECK(d.log->waiting());
  REQUIRE(d.log->commit(t0, made));
  d.log->set_config({1});
  CHECK(d.log->waiting());
  REQUIRE(d.log->commit(t0, made));
  d.log->set_checkpoint({1});
  CHECK(d.log->waiting());
  REQUIRE(d.log->commit(t0, made));
  d.log->append(event_record(3));
  CHECK(d.log->waiting());
}

// A chip that is full can be read. Before, its failure was told every five seconds, and that it is well again never.
TEST_CASE("a store that loads and takes nothing is told once, and once that it is well") {
  desk d;
  counting_log told;
  d.log.emplace(d.store, d.limits, told);
  REQUIRE(d.log->load(t0));
  d.log->append(event_record(1));
  d.disk.fail_from = 1;
  d.disk.fail_count = 100;
  mono_time now = t0;
  for (int i = 0; i < 100; ++i) {
    CHECK_FALSE(d.log->commit(now, made));
    CHECK_FALSE(d.log->commit(now, made));  // has to wait
    now += store_retry;
    d.log->load(now);
  }
  CHECK(told.lines["store_failed"] == 1);
  CHECK(told.lines["store_well"] == 0);
  REQUIRE(d.log->commit(now, made));
  CHECK(told.lines["store_well"] == 1);
  d.log->append(event_record(2));
  REQUIRE(d.log->commit(now, made));
  CHECK(told.lines["store_well"] == 1);
}

TEST_CASE("a commit of nothing but a checkpoint that fails leaves no record in doubt") {
  desk d;
  d.disk.loads_to_fail = 1;
  d.log.emplace(d.store, d.limits, null_log());
  CHECK_FALSE(d.log->load(t0));
  CHECK(d.log->load(t0 + store_retry));
  d.store_events(3);
  d.log->acknowledge(2);
  d.log->set_checkpoint({1});
  d.disk.fail_from = d.disk.commits + 1;
  d.disk.fail_count = 1;
  CHECK_FALSE(d.log->commit(t0 + store_retry, made));
  d.log->load(t0 + 2 * store_retry);
  CHECK(d.log->acknowledged() == 2);
  CHECK(d.log->oldest() == 3);
  REQUIRE(d.log->commit(t0 + 2 * store_retry, made));
  CHECK(d.disk.checkpoint == bytes{1});
}

TEST_CASE("a file put aside twice before anybody asked is told once") {
  desk d;
  d.open();
  for (const std::uint64_t epoch : {6u, 7u}) {
    d.log->set_checkpoint({1});
    d.disk.fail_from = d.disk.commits + 1;
    d.disk.fail_count = 1;
    CHECK_FALSE(d.log->commit(t0, made));
    d.disk.recreate(epoch);
    d.log->load(t0 + store_retry);
  }
  CHECK(d.log->take_recreated());
  CHECK_FALSE(d.log->take_recreated());
}
