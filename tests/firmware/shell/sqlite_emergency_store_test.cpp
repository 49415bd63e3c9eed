#include "firmware/shell/sqlite_emergency_store.hpp"
#include "tests/firmware/emergency_store_contract.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

using testing::read_file;
using testing::temporary_folder;
using testing::write_file;

std::unique_ptr<sqlite_emergency_store> open_in(const temporary_folder& folder) {
  return std::make_unique<sqlite_emergency_store>(sqlite_emergency_options{.path = folder.file("emergency.db")});
}

class file_medium final : public emergency_medium {
public:
  std::unique_ptr<emergency_store> open() override { return open_in(folder_); }

private:
  temporary_folder folder_;
};

press press_of(std::uint64_t id, press_stage stage = press_stage::calling) {
  prng random{id};
  press what = random_press(random, press_id{id});
  what.stage = stage;
  return what;
}

// ---- the writer that is killed: each press goes through its stages, every step is told on a pipe once it is done

struct done_note {
  std::uint64_t id;
  std::uint8_t stage;  // 0: forgotten
};

[[noreturn]] void press_until_killed(const temporary_folder& folder, int told, std::uint64_t first) {
  auto store = open_in(folder);
  for (std::uint64_t id = first;; ++id) {
    for (const std::uint8_t stage : std::initializer_list<std::uint8_t>{1, 2, 3, 0}) {
      if (!(stage != 0 ? store->put(press_of(id, press_stage{stage})) : store->forget(press_id{id}))) _exit(2);
      const done_note note{id, stage};
      if (::write(told, &note, sizeof note) != sizeof note) _exit(3);
    }
  }
}

done_note run_and_kill(const temporary_folder& folder, std::uint64_t first, std::uint64_t notes_wanted) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    press_until_killed(folder, ends[1], first);
  }
  ::close(ends[1]);
  done_note last{first, 0}, note{};
  for (std::uint64_t n = 0; n < notes_wanted && ::read(ends[0], &note, sizeof note) == sizeof note; ++n) last = note;
  ::kill(child, SIGKILL);
  while (::read(ends[0], &note, sizeof note) == sizeof note) last = note;  // told before the kill
  ::close(ends[0]);
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  REQUIRE(WIFSIGNALED(how));
  return last;
}

}  // namespace

// Goal: the file keeps every promise of the port.
TEST_CASE("sqlite emergency store keeps the contract") {
  check_emergency_store_contract([] { return std::make_unique<file_medium>(); });
}

// Goal: a gateway killed at any instant finds what a put had confirmed, and nothing that was forgotten.
TEST_CASE("sqlite emergency store survives kill -9") {
  const std::uint64_t seed = 20'261'122;
  CAPTURE(seed);
  prng random{seed};
  temporary_folder folder;
  for (std::uint64_t round = 0; round < 25; ++round) {
    CAPTURE(round);
    const std::uint64_t first = 1 + round * 1'000'000;
    const auto told = run_and_kill(folder, first, random.below(60));
    auto store = open_in(folder);
    const auto state = store->load();
    REQUIRE(state);
    CHECK(store->reserved());
    CHECK_FALSE(store->recreated());
    CHECK(state->damaged == 0);
    // The kill may fall between the step and its note: then one step more is there than was told.
    std::vector<press> as_told, one_more;
    if (told.stage != 0) as_told = {press_of(told.id, press_stage{told.stage})};
    const bool first_step = told.stage == 0 && told.id == first;
    if (told.stage == 0) one_more = {press_of(told.id + 1, press_stage::calling)};
    else if (told.stage < 3) one_more = {press_of(told.id, press_stage{static_cast<std::uint8_t>(told.stage + 1)})};
    const bool nothing_told = first_step && !state->open.empty() && state->open == std::vector{press_of(first)};
    CHECK((state->open == as_told || state->open == one_more || nothing_told));
    for (const press& p : state->open) REQUIRE(store->forget(p.id));
  }
}

// Goal: whatever bytes stand in the file, the gateway starts, tells it, and takes presses; the old file is kept aside.
TEST_CASE("sqlite emergency store puts a corrupt file aside") {
  temporary_folder folder;
  REQUIRE(open_in(folder)->put(press_of(1)));
  {
    auto db = sqlite_db::open(folder.file("emergency.db"));
    REQUIRE(db);
    REQUIRE(db->checkpoint());
  }
  std::string content = read_file(folder.file("emergency.db"));
  REQUIRE(content.size() > 16 * 4096);
  SECTION("not a database") { content = std::string(9000, 'x'); }
  SECTION("header overwritten") { content.replace(0, 100, std::string(100, '\0')); }
  SECTION("another program's database") { content.replace(68, 4, "othr"); }
  write_file(folder.file("emergency.db"), content);
  ::unlink(folder.file("emergency.db-wal").c_str());

  auto store = open_in(folder);
  const auto state = store->load();
  REQUIRE(state);
  CHECK(store->recreated());
  CHECK((state->damaged > 0 || state->open == std::vector{press_of(1)}));  // told, or saved
  CHECK(store->load()->damaged == 0);
  CHECK(read_file(folder.file("emergency.db.corrupt")) == content);
  CHECK(store->put(press_of(2)));
  CHECK(store->reserved());
}

// Goal: damage that only a full check finds costs what lies on that page; the other presses move into the new file.
TEST_CASE("sqlite emergency store saves what can be read of a damaged file") {
  temporary_folder folder;
  std::vector<press> all;
  {
    auto store = open_in(folder);
    for (std::uint64_t id = 1; id <= presses_max; ++id) {
      all.push_back(press_of(id));
      REQUIRE(store->put(all.back()));
    }
    REQUIRE(store->put_button({"kitchen", true}));
  }
  auto db = sqlite_db::open(folder.file("emergency.db"));
  REQUIRE(db);
  REQUIRE(db->checkpoint());
  // A page of the presses other than the root: the one with the last rows.
  const auto page = db->query_int("SELECT max(pageno) FROM dbstat WHERE name = 'presses'");
  db = fail(errc::not_found);
  std::string content = read_file(folder.file("emergency.db"));
  const std::size_t at = page ? static_cast<std::size_t>(*page - 1) * 4096 : content.find(all.back().button) / 4096 * 4096;
  content.replace(at, 4096, std::string(4096, '\x5a'));
  write_file(folder.file("emergency.db"), content);

  auto store = open_in(folder);
  const auto state = store->load();
  REQUIRE(state);
  CHECK(store->recreated());
  CHECK(state->open.size() >= presses_max / 3);
  CHECK(state->open.size() < presses_max);
  CHECK(state->damaged == presses_max - state->open.size());
  CHECK(state->buttons.size() == 1);
  for (const press& p : state->open) CHECK(p == all[static_cast<std::size_t>(p.id) - 1]);
  store.reset();
  CHECK(open_in(folder)->load()->open == state->open);
}

// Goal: a newer program's file is left alone, and the error says so.
TEST_CASE("sqlite emergency store refuses a newer file without touching it") {
  temporary_folder folder;
  REQUIRE(open_in(folder)->put(press_of(1)));
  {
    auto db = sqlite_db::open(folder.file("emergency.db"));
    REQUIRE(db);
    REQUIRE(db->exec("PRAGMA user_version=99"));
    REQUIRE(db->checkpoint());
  }
  const std::string before = read_file(folder.file("emergency.db"));
  auto store = open_in(folder);
  const auto state = store->load();
  REQUIRE_FALSE(state);
  CHECK(state.error().code == errc::storage_version);
  store.reset();
  CHECK(read_file(folder.file("emergency.db")) == before);
}

// Goal: two gateways on one folder are told apart at once; a file deleted under the program is not taken for a durable one.
TEST_CASE("sqlite emergency store belongs to one process and notices that its file is gone") {
  temporary_folder folder;
  auto first = open_in(folder);
  REQUIRE(first->put(press_of(1)));
  const auto state = open_in(folder)->load();
  REQUIRE_FALSE(state);
  CHECK(state.error().code == errc::storage_busy);
  REQUIRE(::unlink(folder.file("emergency.db").c_str()) == 0);
  CHECK_FALSE(first->put(press_of(2)));
}

}  // namespace tomoshibi::firmware
