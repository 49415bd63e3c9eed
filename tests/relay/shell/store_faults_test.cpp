// Goal: whatever the disk does to the relay's database, what a commit confirmed is there, a batch is whole or absent, and
// nothing that cannot be read is taken for nothing that was told.
#include "protocol/base/prng.hpp"
#include "relay/ports/memory_store.hpp"
#include "relay/shell/store_schema.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"
#include "tests/relay/shell/store_series.hpp"
#include "tests/support/storage_trials.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>

namespace tomoshibi::relay::test {
namespace {

using fault_disk::disk;
using fault_disk::trouble;

constexpr const char* path = "/relay.db";

// A registered, empty database, as bytes: what tomoshibi-ctl made before the relay's life begins.
const bytes& registered() {
  static const bytes image = [] {
    disk on;
    register_directory(path, series_directory(), on);
    return *on.content(path);
  }();
  return image;
}

void put_database(disk& on) {
  if (on.content(path) == nullptr) on.damage(path, 0, registered());
}

struct series {
  std::vector<write_batch> batches;
  std::vector<std::string> pictures;
};

series make_series(std::uint64_t seed, std::uint32_t count) {
  memory_store model;
  model.edit_directory() = series_directory();
  series made;
  made.pictures.push_back(picture_of(model).value());
  for (std::uint32_t n = 1; n <= count; ++n) {
    made.batches.push_back(random_batch(seed, n));
    REQUIRE(model.commit(made.batches.back()));
    made.pictures.push_back(picture_of(model).value());
  }
  return made;
}

class program final : public testing::storage_subject {
public:
  program(disk& on, const std::vector<write_batch>& batches) : on_(on), batches_(batches) { put_database(on); }
  status start() override {
    auto opened = sqlite_store::open(path, on_);
    if (!opened) return std::unexpected(opened.error());
    store_ = std::move(*opened);
    const auto all = store_->load_directory();
    if (!all) return std::unexpected(all.error());
    REQUIRE(all->homes.size() == 2);
    return {};
  }
  status commit(std::size_t number) override { return store_->commit(batches_[number]); }
  result<std::string> picture() override { return picture_of(*store_); }
  void end() override { store_.reset(); }

private:
  disk& on_;
  const std::vector<write_batch>& batches_;
  std::unique_ptr<sqlite_store> store_;
};

testing::storage_trial trial_of(const series& s) {
  return {.make = [&s](disk& on) { return std::make_unique<program>(on, s.batches); }, .pictures = s.pictures, .restart_every = 4};
}

}  // namespace

TEST_CASE("long random series: the database tells what the model tells, over restarts") {
  const auto s = make_series(1, 150);
  disk on;
  program p(on, s.batches);
  REQUIRE(p.start());
  for (std::size_t n = 0; n < s.batches.size(); ++n) {
    REQUIRE(p.commit(n));
    if (n % 13 == 0) {
      p.end();
      REQUIRE(p.start());
    }
    CAPTURE(n);
    REQUIRE(p.picture().value() == s.pictures[n + 1]);
  }
}

TEST_CASE("an error at every single call: nothing confirmed is lost, nothing failed is half done") {
  const auto s = make_series(2, 6);
  CHECK(testing::fail_at_every_call(trial_of(s), trouble::io, 1) > 100);
  const auto t = make_series(3, 3);
  testing::fail_at_every_call(trial_of(t), trouble::io, 4);
  testing::fail_at_every_call(trial_of(t), trouble::full, 2);
}

TEST_CASE("a power cut at every change of the medium, torn in several ways") {
  const auto s = make_series(4, 7);
  CHECK(testing::cut_at_every_change(trial_of(s), 3) > 40);
}

TEST_CASE("a full disk refuses the batch whole; reading goes on, and so does writing once there is room") {
  const auto s = make_series(5, 60);
  disk on;
  program p(on, s.batches);
  REQUIRE(p.start());
  on.capacity = 3 * registered().size();
  std::size_t done = 0;
  status answer;
  while (done < s.batches.size() && (answer = p.commit(done))) ++done;
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::storage_full);
  CHECK(p.picture().value() == s.pictures[done]);
  CHECK(p.commit(done).error().code == errc::storage_full);
  on.capacity = UINT64_MAX;
  while (done < s.batches.size()) REQUIRE(p.commit(done++));
  CHECK(p.picture().value() == s.pictures.back());
}

TEST_CASE("a disk that became read-only: the batch fails, what is there can be read, a start is refused with the path") {
  const auto s = make_series(6, 6);
  disk on;
  program p(on, s.batches);
  REQUIRE(p.start());
  REQUIRE(p.commit(0));
  on.read_only = true;
  CHECK(p.commit(1).error().code == errc::storage_io);
  CHECK(p.picture().value() == s.pictures[1]);
  p.end();
  const auto begun = p.start();
  REQUIRE_FALSE(begun);
  CHECK(begun.error().code == errc::storage_io);
  CHECK(begun.error().detail.find(path) != std::string::npos);
  on.read_only = false;
  REQUIRE(p.start());
  REQUIRE(p.commit(1));
}

// SQLite's pages carry no sum: a changed value may be read as it is. What must not be is an end, or an error of another kind.
TEST_CASE("one damaged place anywhere: an error where it is met, and never the end of the program") {
  const auto s = make_series(7, 40);
  prng random{20'260'402};
  std::map<std::string, int> seen;
  disk written;
  program writer(written, s.batches);
  REQUIRE(writer.start());
  for (std::size_t n = 0; n < s.batches.size(); ++n) REQUIRE(writer.commit(n));
  writer.end();
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    disk on;
    on.damage(path, 0, *written.content(path));
    bytes noise(1 + random.below(random.chance(500) ? 1 : 600));
    for (auto& b : noise) b = static_cast<std::uint8_t>(random.next());
    on.damage(path, random.below(on.content(path)->size() - noise.size()), noise);
    program p(on, s.batches);
    if (const auto begun = p.start(); !begun) {
      CHECK((begun.error().code == errc::storage_corrupt || begun.error().code == errc::storage_version ||
             begun.error().code == errc::storage_io));
      ++seen["start refused"];
      continue;
    }
    const auto picture = p.picture();
    const auto done = p.commit(0);
    if (!picture || !done) ++seen["an error when it was met"];
    else ++seen[*picture == s.pictures.back() ? "nowhere that matters" : "another value"];
  }
  for (const auto& [how, count] : seen) UNSCOPED_INFO(how << ": " << count);
  CHECK(seen["an error when it was met"] > 0);
}

}  // namespace tomoshibi::relay::test
