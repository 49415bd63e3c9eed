// Goal: whatever the flash chip does to emergency.db, a press that was confirmed is there after any cut, damage is told and
// costs the rows it hit, and a disk that is full for everything else is not full for a press.
#include "firmware/ports/memory_emergency_store.hpp"
#include "firmware/shell/sqlite_emergency_store.hpp"
#include "protocol/base/prng.hpp"
#include "tests/firmware/emergency_store_contract.hpp"
#include "tests/support/storage_trials.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>

namespace tomoshibi::firmware {
namespace {

using fault_disk::disk;
using fault_disk::trouble;

constexpr const char* path = "/emergency.db";
constexpr std::size_t steps_count = 40;  // the log is moved into the file on the way

sqlite_emergency_options options_on(disk& on) { return {.path = path, .files = &on}; }

press press_of(std::uint64_t id) {
  prng random{id};
  return random_press(random, press_id{id});
}

struct step {
  enum class kind : std::uint8_t { put, forget, put_button } what = kind::put;
  press of{};
  known_button button{};
};

status take(emergency_store& store, const step& s) {
  switch (s.what) {
    case step::kind::put: return store.put(s.of);
    case step::kind::forget: return store.forget(s.of.id);
    case step::kind::put_button: return store.put_button(s.button);
  }
  return {};
}

struct series {
  std::vector<step> steps;
  std::vector<std::string> pictures;
};

series make_series(std::uint64_t seed) {
  prng random{seed};
  memory_emergency medium;
  memory_emergency_store model{medium};
  series made;
  made.pictures.push_back(text_of(*model.load()));
  while (made.steps.size() < steps_count) {
    step s;
    s.of = random_press(random, press_id{1 + random.below(8)});
    s.what = random.chance(600) ? step::kind::put : random.chance(500) ? step::kind::forget : step::kind::put_button;
    s.button = {"button-" + std::to_string(random.below(5)), random.chance(500)};
    REQUIRE(take(model, s));
    const auto picture = text_of(*model.load());
    if (picture == made.pictures.back()) continue;
    made.steps.push_back(s);
    made.pictures.push_back(picture);
  }
  return made;
}

class program final : public testing::storage_subject {
public:
  program(disk& on, const std::vector<step>& steps) : store_(std::in_place, options_on(on)), steps_(steps) {}
  status start() override {
    const auto state = store_->load();
    if (!state) return std::unexpected(state.error());
    REQUIRE_FALSE(store_->recreated());
    REQUIRE(state->damaged == 0);
    return {};
  }
  status commit(std::size_t number) override { return take(*store_, steps_[number]); }
  result<std::string> picture() override {
    const auto state = store_->load();
    if (!state) return std::unexpected(state.error());
    return text_of(*state);
  }
  void end() override { store_.reset(); }

private:
  std::optional<sqlite_emergency_store> store_;
  const std::vector<step>& steps_;
};

testing::storage_trial trial_of(const series& s, std::size_t restart_every, std::uint64_t cut_every) {
  return {.make = [&s](disk& on) { return std::make_unique<program>(on, s.steps); }, .pictures = s.pictures,
          .restart_every = restart_every, .cut_every = cut_every};
}

std::uint64_t used(disk& on) {
  std::uint64_t sum = 0;
  for (const auto& p : on.paths()) sum += on.content(p)->size();
  return sum;
}

// As many presses as may be open, put twice and forgotten, and more buttons than are kept.
void press_all(sqlite_emergency_store& store, std::uint64_t first) {
  for (std::uint64_t id = first; id < first + presses_max; ++id) {
    INFO("press " << id - first);
    const auto done = store.put(press_of(id));
    INFO((done ? "" : done.error().detail));
    REQUIRE(done);
  }
  for (std::uint64_t id = first; id < first + presses_max; ++id) REQUIRE(store.put(press_of(id)));
  for (int i = 0; i < 100; ++i) REQUIRE(store.put_button({"button-" + std::to_string(i), true}));
  CHECK(store.load()->open.size() == presses_max);
  for (std::uint64_t id = first; id < first + presses_max; ++id) REQUIRE(store.forget(press_id{id}));
}

}  // namespace

TEST_CASE("an error at every single call: no press that was confirmed is lost, none that failed is there") {
  const auto s = make_series(17);
  CHECK(testing::fail_at_every_call(trial_of(s, 25, 1), trouble::io, 1) > 100);
  testing::fail_at_every_call(trial_of(s, 25, 1), trouble::full, 2);
}

TEST_CASE("a power cut at every change of the medium, torn in several ways, keeps every press") {
  const auto s = make_series(18);
  CHECK(testing::cut_at_every_change(trial_of(s, 25, 1), 2) > 60);
}

TEST_CASE("a disk that is full to the last byte takes presses_max presses, again and again, also after a restart") {
  disk on;
  {
    sqlite_emergency_store store(options_on(on));
    REQUIRE(store.load());
    CHECK(store.reserved());
    on.capacity = used(on);
    press_all(store, 1);
    press_all(store, 1000);
  }
  CHECK(used(on) == on.capacity);  // the end of the program has given nothing back
  on.faults.arm({.nth = 1, .times = 1'000'000, .how = trouble::io, .only = fault_disk::call::shm_map});  // a file, too
  {
    sqlite_emergency_store store(options_on(on));
    REQUIRE(store.put(press_of(5)));
    CHECK(store.reserved());
    REQUIRE(store.forget(press_id{5}));
    press_all(store, 2000);
  }
}

TEST_CASE("after a power cut on a full disk the room is still there") {
  for (std::uint64_t n = 1; n < 40; n += 3) {
    CAPTURE(n);
    disk on(n);
    std::optional<sqlite_emergency_store> store(std::in_place, options_on(on));
    REQUIRE(store->load());
    on.capacity = used(on);
    on.power_off_before(n);
    std::uint64_t confirmed = 0;
    while (store->put(press_of(confirmed + 1))) REQUIRE(++confirmed < presses_max);
    on.power_off();
    store.reset();
    on.power_up(fault_disk::draw_tear(n));
    store.emplace(options_on(on));
    const auto state = store->load();
    REQUIRE(state);
    CHECK(store->reserved());
    CHECK(state->open.size() >= confirmed);
    for (const press& p : state->open) REQUIRE(store->forget(p.id));
    press_all(*store, 100);
  }
}

TEST_CASE("a disk that is full from the start: presses are refused until there is room, then the room is taken") {
  disk on;
  sqlite_emergency_store store(options_on(on));
  on.capacity = 30'000;
  const auto done = store.put(press_of(1));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_full);
  on.capacity = 600'000;
  CHECK(store.put(press_of(1)));
  CHECK(store.forget(press_id{1}));
  CHECK(store.reserved());
}

TEST_CASE("a put is one write and one sync on most calls") {
  disk on;
  sqlite_emergency_store store(options_on(on));
  REQUIRE(store.load());
  std::map<std::uint64_t, int> seen;
  for (std::uint64_t id = 1; id <= presses_max; ++id) {
    const auto before = on.syncs();
    REQUIRE(store.put(press_of(id)));
    ++seen[on.syncs() - before];
  }
  CHECK(seen[1] > 55);
}

TEST_CASE("one damaged row: it is told, it costs one press, the file stays") {
  for (std::uint64_t hit = 1; hit <= presses_max; hit += 7) {
    CAPTURE(hit);
    disk on;
    std::vector<press> all;
    {
      sqlite_emergency_store store(options_on(on));
      for (std::uint64_t id = 1; id <= presses_max; ++id) {
        all.push_back(press_of(id));
        all.back().button = "name-" + std::to_string(1000 + id);
        REQUIRE(store.put(all.back()));
      }
    }
    const std::string text(on.content(path)->begin(), on.content(path)->end());
    const auto at = text.find(all[hit - 1].button);
    if (at == std::string::npos) continue;  // only in the log, whose frames have sums of their own
    on.damage(path, at, bytes{'N'});
    sqlite_emergency_store store(options_on(on));
    const auto state = store.load();
    REQUIRE(state);
    CHECK_FALSE(store.recreated());
    CHECK(state->open.size() + state->damaged == presses_max);
    CHECK(state->damaged <= 1);
    for (const press& p : state->open) CHECK(p == all[static_cast<std::size_t>(p.id) - 1]);
    if (state->damaged == 1) CHECK(store.put(press_of(1000)));
  }
}

TEST_CASE("one damaged place anywhere: the store opens at once and no press reads as something it was not") {
  prng random{20'261'122};
  std::map<std::string, int> seen;
  for (std::size_t round = 0; round < 400; ++round) {
    CAPTURE(round);
    disk on;
    std::map<std::uint64_t, press> all;
    {
      sqlite_emergency_store store(options_on(on));
      for (std::uint64_t id = 1; id <= 40; ++id) REQUIRE(store.put(all[id] = press_of(id)));
    }
    const std::string file = round % 3 == 0 ? "/emergency.db-wal" : path;
    bytes noise(1 + random.below(random.chance(500) ? 1 : 600));
    for (auto& b : noise) b = static_cast<std::uint8_t>(random.next());
    const std::size_t end = std::min<std::size_t>(on.content(file)->size() - noise.size(), 12 * 4096);
    on.damage(file, random.below(end), noise);
    sqlite_emergency_store store(options_on(on));
    const auto state = store.load();
    if (!state && state.error().code == errc::storage_version) continue;  // its version number was hit
    INFO((state ? "" : state.error().detail));
    REQUIRE(state);
    for (const press& p : state->open) CHECK(p == all[static_cast<std::uint64_t>(p.id)]);
    const std::string how = store.recreated() ? "put aside" : state->damaged != 0 ? "rows freed" : "unnoticed";
    if (how != "unnoticed" || file == path) CHECK(state->open.size() + state->damaged >= 9);
    ++seen[how];
    CHECK(store.put(press_of(99)));
  }
  CHECK(seen["put aside"] > 0);
  CHECK(seen["rows freed"] > 0);
}

}  // namespace tomoshibi::firmware
