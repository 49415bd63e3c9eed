// Goal: whatever the flash chip does to the outbox, what a commit confirmed is there, a batch is whole or absent, sequence
// and epoch go on; damage is told and never ends the program's ability to start.
#include "firmware/ports/memory_outbox_store.hpp"
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "protocol/base/prng.hpp"
#include "tests/support/storage_trials.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>

namespace tomoshibi::firmware {
namespace {

using fault_disk::disk;
using fault_disk::trouble;

constexpr std::size_t batches_count = 24;
constexpr const char* path = "/outbox.db";
constexpr outbox_epoch first_epoch{0x1234'5678'9abc'def0};

outbox_batch random_batch(prng& random, const memory_outbox& now) {
  outbox_batch batch;
  for (std::uint64_t i = random.below(4), seq = now.next; i > 0; --i, ++seq)
    batch.append.push_back({seq, bytes(random.below(900), static_cast<std::uint8_t>(random.next()))});
  if (random.chance(200) && !now.records.empty()) {
    const auto which = now.records.front().seq + random.below(now.records.size());
    batch.replace.push_back({which, bytes(random.below(50), 99)});
  }
  if (random.chance(300)) batch.trim_through = random.below(now.next + 2);
  if (random.chance(400)) batch.checkpoint = bytes(random.below(3000), static_cast<std::uint8_t>(random.next()));
  if (random.chance(60)) batch.config = bytes(random.below(6000), static_cast<std::uint8_t>(random.next()));
  batch.checkpoint = batch.checkpoint.value_or(bytes(3, static_cast<std::uint8_t>(random.next())));  // no two pictures alike
  return batch;
}

std::string text_of(const bytes& b) { return std::string(b.begin(), b.end()); }

result<std::string> picture_of(outbox_store& store) {
  const auto state = store.load();
  if (!state) return std::unexpected(state.error());
  const auto records = store.read(0, 1'000'000);
  if (!records) return std::unexpected(records.error());
  std::string out = std::to_string(state->oldest) + ".." + std::to_string(state->next) + (state->recreated ? " new" : "") + " c:";
  out += text_of(state->checkpoint.value_or(bytes{'-'})) + " f:" + text_of(state->config.value_or(bytes{'-'}));
  for (const auto& r : *records) out += "\n" + std::to_string(r.seq) + ":" + text_of(r.data);
  return out;
}

sqlite_outbox_options options_on(disk& on, outbox_epoch epoch = first_epoch) {
  return {.path = path, .pages_max = 4096, .new_epoch = [epoch] { return epoch; }, .files = &on};
}

struct series {
  std::vector<outbox_batch> batches;
  std::vector<std::string> pictures;
};

series make_series(std::uint64_t seed) {
  prng random{seed};
  memory_outbox medium{static_cast<std::uint64_t>(first_epoch)};
  memory_outbox_store model{medium};
  series made;
  made.pictures.push_back(picture_of(model).value());
  for (std::size_t i = 0; i < batches_count; ++i) {
    made.batches.push_back(random_batch(random, medium));
    REQUIRE(model.commit(made.batches.back()));
    made.pictures.push_back(picture_of(model).value());
  }
  return made;
}

class program final : public testing::storage_subject {
public:
  program(disk& on, const std::vector<outbox_batch>& batches) : store_(std::in_place, options_on(on)), batches_(batches) {}
  status start() override {
    const auto state = store_->load();
    if (!state) return std::unexpected(state.error());
    REQUIRE(state->epoch == first_epoch);
    REQUIRE_FALSE(state->recreated);
    return {};
  }
  status commit(std::size_t number) override { return store_->commit(batches_[number]); }
  result<std::string> picture() override { return picture_of(*store_); }
  void end() override {
    (void)store_->checkpoint_file();
    store_.reset();
  }

private:
  std::optional<sqlite_outbox_store> store_;
  const std::vector<outbox_batch>& batches_;
};

testing::storage_trial trial_of(const series& s) {
  return {.make = [&s](disk& on) { return std::make_unique<program>(on, s.batches); }, .pictures = s.pictures};
}

}  // namespace

TEST_CASE("an error at every single call: nothing confirmed is lost, nothing failed is half done") {
  const auto s = make_series(7);
  CHECK(testing::fail_at_every_call(trial_of(s), trouble::io, 1) > 100);
  testing::fail_at_every_call(trial_of(s), trouble::io, 4);   // of a commit, and of the next one until it reads its first record
  testing::fail_at_every_call(trial_of(s), trouble::full, 2);
}

TEST_CASE("a power cut at every change of the medium, torn in several ways") {
  const auto s = make_series(8);
  CHECK(testing::cut_at_every_change(trial_of(s), 4) > 60);
}

TEST_CASE("a full disk: reading and trimming go on, appending goes on once there is room") {
  disk on;
  sqlite_outbox_store store(options_on(on));
  REQUIRE(store.load());
  on.capacity = 150'000;
  record_seq next = 1;
  status done;
  while ((done = store.commit({.append = {{next, bytes(700, 1)}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}})))
    REQUIRE(++next < 1000);
  CHECK(done.error().code == errc::storage_full);
  CHECK(store.load()->next == next);
  CHECK(store.read(1, 1000)->size() == next - 1);
  on.capacity += 50'000;  // somebody made room
  CHECK(store.commit({.append = {{next, bytes(700, 1)}}, .trim_through = next / 2, .replace = {}, .checkpoint = {}, .config = {}}));
}

TEST_CASE("a read-only disk is an error that stays one until it can be written") {
  disk on;
  {
    sqlite_outbox_store store(options_on(on));
    REQUIRE(store.commit({.append = {{1, bytes(10, 1)}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}}));
  }
  on.read_only = true;
  sqlite_outbox_store store(options_on(on));
  const auto state = store.load();
  REQUIRE_FALSE(state);
  CHECK(state.error().code == errc::storage_io);
  CHECK_FALSE(on.content("/outbox.db.corrupt"));
  on.read_only = false;
  CHECK(store.load()->next == 2);
  on.read_only = true;  // mounted anew while we run
  const auto done = store.commit({.append = {{2, bytes(10, 1)}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_io);
  CHECK_FALSE(store.found_damage());
  CHECK(store.load()->next == 2);
}

TEST_CASE("one damaged place anywhere: the next starts come to a log that works, and damage that is met is told") {
  const auto s = make_series(9);
  prng random{20'260'401};
  std::map<std::string, int> seen;
  for (std::size_t round = 0; round < 500; ++round) {
    CAPTURE(round);
    disk on;
    const bool in_header = round >= 300;  // two damages for each of its bytes
    const bool in_log = round % 3 == 0 && !in_header;
    {
      sqlite_outbox_store store(options_on(on));
      for (const auto& b : s.batches) REQUIRE(store.commit(b));
      if (in_log) on.power_off();  // the write-ahead log is still there
    }
    if (!on.powered()) on.power_up(fault_disk::keep_all);
    const std::string file = in_log ? "/outbox.db-wal" : path;
    REQUIRE(on.content(file) != nullptr);
    bytes noise(1 + (in_header ? 0 : random.below(random.chance(500) ? 1 : 600)));
    for (auto& b : noise) b = static_cast<std::uint8_t>(random.next());
    on.damage(file, in_header ? round % 100 : random.below(on.content(file)->size() - noise.size()), noise);

    std::string how = "unnoticed";
    for (int start = 0;; ++start) {
      REQUIRE(start < 3);
      sqlite_outbox_store store(options_on(on, outbox_epoch{static_cast<std::uint64_t>(start) + 77}));
      const auto state = store.load();
      INFO((state ? "" : state.error().detail));
      if (!state && state.error().code == errc::storage_version) {
        how = "taken for a newer program's";
        break;
      }
      REQUIRE(state);
      if (state->recreated) how = start == 0 ? "put aside at once" : "met later, then put aside";
      else if (store.mended() != 0) how = "mended";
      const auto picture = picture_of(store);
      if (how == "unnoticed" && picture) {
        const auto known = std::find(s.pictures.begin(), s.pictures.end(), *picture);
        REQUIRE(known != s.pictures.end());  // no record ever reads as something it was not
        if (*picture != s.pictures.back()) how = "log shorter";
        CHECK((in_log || *picture == s.pictures.back()));
      }
      const auto read = store.read(0, 1'000'000);
      const auto done = store.commit({.append = {{state->next, bytes(10, 1)}}, .trim_through = state->next, .replace = {},
                                      .checkpoint = bytes(5000, 1), .config = {}});
      if (read && done) {
        break;
      }
      REQUIRE(store.found_damage());  // the program ends with this; the next start looks again
    }
    ++seen[how];
  }
  for (const auto& [how, count] : seen) UNSCOPED_INFO(how << ": " << count);
  CHECK(seen["put aside at once"] > 0);
}

TEST_CASE("a power cut while a damaged file is put aside ends in a new log or the old trouble, never in none") {
  for (std::uint64_t n = 1; n < 60; ++n) {
    CAPTURE(n);
    disk on(n);
    {
      sqlite_outbox_store store(options_on(on));
      REQUIRE(store.commit({.append = {{1, bytes(10, 1)}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}}));
    }
    REQUIRE(on.sync(*on.find(path)) == fault_disk::outcome::ok);  // the removed log does not come back
    on.damage(path, 0, bytes(200, 0xee));
    on.power_off_before(n);
    {
      sqlite_outbox_store store(options_on(on, outbox_epoch{5}));
      (void)store.load();
    }
    on.power_off();
    on.power_up(fault_disk::draw_tear(n));
    sqlite_outbox_store store(options_on(on, outbox_epoch{6}));
    const auto state = store.load();
    REQUIRE(state);
    CHECK((state->epoch == outbox_epoch{5} || state->epoch == outbox_epoch{6}));
    CHECK(state->next == 1);
    CHECK(on.content("/outbox.db.corrupt") != nullptr);
    CHECK(store.commit({.append = {{1, bytes(10, 1)}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}}));
  }
}

}  // namespace tomoshibi::firmware
