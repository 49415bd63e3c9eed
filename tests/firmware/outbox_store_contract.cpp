#include "tests/firmware/outbox_store_contract.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>

namespace tomoshibi::firmware {
namespace {

bytes blob(std::size_t size, std::uint8_t fill) { return bytes(size, fill); }

outbox_batch append_of(record_seq first, std::size_t count, std::uint8_t fill = 7) {
  outbox_batch batch;
  for (std::size_t i = 0; i < count; ++i) batch.append.push_back({first + i, blob(20 + i % 5, fill)});
  return batch;
}

outbox_state load(outbox_store& store) {
  auto state = store.load();
  REQUIRE(state.has_value());
  return *state;
}

std::vector<stored_record> read_all(outbox_store& store) {
  auto records = store.read(0, 1'000'000);
  REQUIRE(records.has_value());
  return *records;
}

// A plain model of the port; random batches against it, with restarts.
struct model {
  std::map<record_seq, bytes> records;
  record_seq next = 1;
  std::optional<bytes> checkpoint, config;
};

outbox_batch random_batch(prng& random, const model& m) {
  outbox_batch batch;
  for (std::uint64_t i = random.below(4), seq = m.next; i > 0; --i, ++seq) {
    batch.append.push_back({seq, blob(random.below(300), static_cast<std::uint8_t>(random.next()))});
  }
  if (random.chance(200) && !m.records.empty()) {
    const record_seq oldest = m.records.begin()->first;
    batch.replace.push_back({oldest + random.below(m.records.size()), blob(random.below(50), 99)});
  }
  if (random.chance(200)) batch.trim_through = random.below(m.next + 2);
  if (random.chance(300)) batch.checkpoint = blob(random.below(600), static_cast<std::uint8_t>(random.next()));
  if (random.chance(50)) batch.config = blob(random.below(4000), static_cast<std::uint8_t>(random.next()));
  return batch;
}

void apply(model& m, const outbox_batch& batch) {
  for (const auto& r : batch.append) m.records[r.seq] = r.data;
  m.next += batch.append.size();
  for (const auto& r : batch.replace) m.records[r.seq] = r.data;
  while (batch.trim_through && !m.records.empty() && m.records.begin()->first <= *batch.trim_through) {
    m.records.erase(m.records.begin());
  }
  if (batch.checkpoint) m.checkpoint = batch.checkpoint;
  if (batch.config) m.config = batch.config;
}

void compare(outbox_store& store, const model& m) {
  const auto state = load(store);
  CHECK(state.next == m.next);
  CHECK(state.oldest == (m.records.empty() ? m.next : m.records.begin()->first));
  CHECK(state.checkpoint == m.checkpoint);
  CHECK(state.config == m.config);
  const auto records = read_all(store);
  REQUIRE(records.size() == m.records.size());
  auto expected = m.records.begin();
  for (const auto& record : records) {
    CHECK(record.seq == expected->first);
    CHECK(record.data == expected->second);
    ++expected;
  }
}

}  // namespace

void check_outbox_store_contract(const make_outbox_medium& make) {
  auto medium = make();
  auto store = medium->open();
  const auto restart = [&medium, &store] {
    store.reset();
    store = medium->open();
  };

  SECTION("a new store is empty, has an epoch and is not 'recreated'") {
    const auto state = load(*store);
    CHECK(state.oldest == 1);
    CHECK(state.next == 1);
    CHECK_FALSE(state.checkpoint);
    CHECK_FALSE(state.config);
    CHECK_FALSE(state.recreated);
    CHECK(state.epoch != outbox_epoch{0});
    CHECK(read_all(*store).empty());
  }
  SECTION("epoch, records, sequence, checkpoint and config survive a restart") {
    const auto epoch = load(*store).epoch;
    auto batch = append_of(1, 3);
    batch.checkpoint = blob(5, 1);
    batch.config = blob(6, 2);
    REQUIRE(store->commit(batch));
    restart();
    const auto state = load(*store);
    CHECK(state.epoch == epoch);
    CHECK(state.oldest == 1);
    CHECK(state.next == 4);
    CHECK(state.checkpoint == blob(5, 1));
    CHECK(state.config == blob(6, 2));
    CHECK(read_all(*store).size() == 3);
  }
  SECTION("an empty batch and absent parts change nothing") {
    load(*store);
    auto batch = append_of(1, 2);
    batch.checkpoint = blob(3, 3);
    REQUIRE(store->commit(batch));
    REQUIRE(store->commit({}));
    REQUIRE(store->commit(append_of(3, 1)));
    CHECK(load(*store).checkpoint == blob(3, 3));
    CHECK(load(*store).next == 4);
  }
  SECTION("sequence goes on after everything was trimmed, also over a restart") {
    load(*store);
    auto batch = append_of(1, 5);
    REQUIRE(store->commit(batch));
    outbox_batch trim;
    trim.trim_through = 5;
    REQUIRE(store->commit(trim));
    restart();
    const auto state = load(*store);
    CHECK(state.oldest == 6);
    CHECK(state.next == 6);
    CHECK(store->commit(append_of(6, 1)).has_value());
    CHECK(read_all(*store).front().seq == 6);
  }
  SECTION("append, replace and trim in one batch take effect in this order") {
    load(*store);
    auto batch = append_of(1, 4);
    batch.replace.push_back({3, blob(2, 42)});
    batch.trim_through = 2;
    REQUIRE(store->commit(batch));
    const auto records = read_all(*store);
    REQUIRE(records.size() == 2);
    CHECK(records[0].seq == 3);
    CHECK(records[0].data == blob(2, 42));
    CHECK(records[1].seq == 4);
  }
  SECTION("trimming beyond the last record forgets all of them and leaves the sequence alone") {
    load(*store);
    auto batch = append_of(1, 2);
    batch.trim_through = 50;
    REQUIRE(store->commit(batch));
    CHECK(load(*store).next == 3);
    CHECK(read_all(*store).empty());
  }
  SECTION("an append that does not follow is refused and nothing of its batch is done") {
    load(*store);
    REQUIRE(store->commit(append_of(1, 2)));
    for (const record_seq wrong : {record_seq{1}, record_seq{2}, record_seq{4}}) {
      auto batch = append_of(wrong, 1);
      batch.checkpoint = blob(1, 1);
      batch.trim_through = 1;
      const auto done = store->commit(batch);
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().code == errc::refused);
    }
    CHECK(load(*store).next == 3);
    CHECK_FALSE(load(*store).checkpoint);
    CHECK(read_all(*store).size() == 2);
  }
  SECTION("a replace of a record not held is refused and nothing of its batch is done") {
    load(*store);
    auto first = append_of(1, 3);
    first.trim_through = 1;
    REQUIRE(store->commit(first));
    for (const record_seq wrong : {record_seq{1}, record_seq{5}}) {
      auto batch = append_of(4, 1);
      batch.replace.push_back({wrong, blob(1, 1)});
      const auto done = store->commit(batch);
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().code == errc::refused);
    }
    CHECK(load(*store).next == 4);
  }
  SECTION("read gives a window, ascending, starting at what is held") {
    load(*store);
    auto batch = append_of(1, 10);
    batch.trim_through = 3;
    REQUIRE(store->commit(batch));
    auto part = store->read(1, 2);
    REQUIRE(part);
    REQUIRE(part->size() == 2);
    CHECK((*part)[0].seq == 4);
    CHECK((*part)[1].seq == 5);
    part = store->read(9, 10);
    REQUIRE(part);
    CHECK(part->size() == 2);
    part = store->read(11, 10);
    REQUIRE(part);
    CHECK(part->empty());
    part = store->read(4, 0);
    REQUIRE(part);
    CHECK(part->empty());
  }
  SECTION("empty and large values come back as they were") {
    load(*store);
    outbox_batch batch;
    batch.append = {{1, {}}, {2, blob(4000, 255)}};
    batch.checkpoint = bytes{};
    REQUIRE(store->commit(batch));
    restart();
    CHECK(load(*store).checkpoint == bytes{});
    const auto records = read_all(*store);
    REQUIRE(records.size() == 2);
    CHECK(records[0].data.empty());
    CHECK(records[1].data == blob(4000, 255));
  }
  SECTION("random batches and restarts agree with a plain model") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      INFO("seed " << seed);
      store.reset();
      medium = make();
      store = medium->open();
      load(*store);
      prng random{seed};
      model m;
      for (int i = 0; i < 60; ++i) {
        const auto batch = random_batch(random, m);
        REQUIRE(store->commit(batch));
        apply(m, batch);
        if (random.chance(100)) restart();
        if (random.chance(200)) compare(*store, m);
      }
      compare(*store, m);
    }
  }
}

}  // namespace tomoshibi::firmware
