#include "firmware/shell/sqlite_outbox_store.hpp"
#include "protocol/base/prng.hpp"
#include "tests/firmware/outbox_store_contract.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

using testing::read_file;
using testing::temporary_folder;
using testing::write_file;

std::unique_ptr<sqlite_outbox_store> open_in(const temporary_folder& folder, std::uint32_t pages_max = 4096) {
  static std::uint64_t epochs = 100;
  return std::make_unique<sqlite_outbox_store>(sqlite_outbox_options{
      .path = folder.file("outbox.db"), .pages_max = pages_max, .new_epoch = [] { return outbox_epoch{++epochs}; }});
}

class file_medium final : public outbox_medium {
public:
  std::unique_ptr<outbox_store> open() override { return open_in(folder_); }

private:
  temporary_folder folder_;
};

outbox_batch one_record(record_seq seq, std::size_t size = 200) {
  outbox_batch batch;
  batch.append = {{seq, bytes(size, static_cast<std::uint8_t>(seq))}};
  return batch;
}

void fill(sqlite_outbox_store& store, record_seq count) {
  const auto state = store.load();
  REQUIRE(state);
  for (record_seq seq = state->next; seq < state->next + count; ++seq) REQUIRE(store.commit(one_record(seq)));
}

// ---- the writer that is killed: tells on a pipe what it has committed, so that the parent knows what must be there

struct committed_note {
  record_seq next;
  record_seq oldest;
};

[[noreturn]] void write_until_killed(const temporary_folder& folder, int told, std::uint64_t seed) {
  prng random{seed};
  auto store = open_in(folder);
  auto state = store->load();
  if (!state) _exit(1);
  record_seq next = state->next;
  record_seq oldest = state->oldest;
  while (true) {
    outbox_batch batch;
    for (auto n = random.below(5) + 1; n > 0; --n) batch.append.push_back({next++, bytes(random.below(400), 7)});
    // The checkpoint names the same `next`: if both are not from one transaction, the parent sees it.
    batch.checkpoint = bytes(8);
    for (std::size_t i = 0; i < 8; ++i) (*batch.checkpoint)[i] = static_cast<std::uint8_t>(next >> (8 * i));
    if (random.chance(300)) {
      oldest += random.below(next - oldest);
      batch.trim_through = oldest - 1;
    }
    if (!store->commit(batch)) _exit(2);
    const committed_note note{next, oldest};
    if (::write(told, &note, sizeof note) != sizeof note) _exit(3);
  }
}

committed_note run_and_kill(const temporary_folder& folder, std::uint64_t seed, std::uint64_t notes_wanted) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(folder, ends[1], seed);
  }
  ::close(ends[1]);
  committed_note last{0, 0};
  committed_note note{};
  std::uint64_t notes = 0;
  while (notes < notes_wanted && ::read(ends[0], &note, sizeof note) == sizeof note) {
    last = note;
    ++notes;
  }
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
TEST_CASE("sqlite outbox store keeps the contract") {
  check_outbox_store_contract([] { return std::make_unique<file_medium>(); });
}

// Goal: a writer killed at any instant loses nothing that a commit had confirmed, and leaves nothing half done.
TEST_CASE("sqlite outbox store survives kill -9") {
  const std::uint64_t seed = 20'260'131;
  CAPTURE(seed);
  prng random{seed};
  temporary_folder folder;
  for (int round = 0; round < 25; ++round) {
    CAPTURE(round);
    const auto told = run_and_kill(folder, random.next(), random.below(30));
    auto store = open_in(folder);
    const auto state = store->load();
    REQUIRE(state);
    CHECK_FALSE(state->recreated);
    // The kill may fall between the commit and the note: then more is there than was told, never less.
    CHECK(state->next >= told.next);
    REQUIRE(state->checkpoint.has_value() == (state->next > 1));
    record_seq in_checkpoint = 1;
    if (state->checkpoint) {
      in_checkpoint = 0;
      for (std::size_t i = 8; i-- > 0;) in_checkpoint = in_checkpoint << 8 | (*state->checkpoint)[i];
    }
    CHECK(in_checkpoint == state->next);
    const auto records = store->read(0, 1'000'000);
    REQUIRE(records);
    CHECK(records->size() == state->next - state->oldest);
    for (std::size_t i = 0; i < records->size(); ++i) CHECK((*records)[i].seq == state->oldest + i);
  }
}

// Goal: whatever bytes stand in the file, the gateway starts; the old file is kept aside and the epoch is new.
TEST_CASE("sqlite outbox store puts a corrupt file aside") {
  temporary_folder folder;
  outbox_epoch former{};
  {
    auto store = open_in(folder);
    fill(*store, 200);
    former = store->load()->epoch;
    REQUIRE(store->checkpoint_file());
  }
  std::string content = read_file(folder.file("outbox.db"));
  REQUIRE(content.size() > 5 * 4096);
  SECTION("not a database") { content = std::string(9000, 'x'); }
  SECTION("header overwritten") { content.replace(0, 100, std::string(100, '\0')); }
  SECTION("cut in the middle") { content.resize(content.size() / 2); }
  SECTION("pages overwritten") { content.replace(2 * 4096, 2 * 4096, std::string(2 * 4096, '\x5a')); }
  SECTION("another program's database") { content.replace(68, 4, "othr"); }
  write_file(folder.file("outbox.db"), content);
  ::unlink(folder.file("outbox.db-wal").c_str());

  auto store = open_in(folder);
  const auto state = store->load();
  REQUIRE(state);
  CHECK(state->recreated);
  CHECK(state->epoch != former);
  CHECK(state->next == 1);
  CHECK(read_file(folder.file("outbox.db.corrupt")) == content);
  CHECK_FALSE(store->load()->recreated);
  fill(*store, 3);
}

// Goal: a file that was deleted under the program is not taken for a durable one.
TEST_CASE("sqlite outbox store tells that its file was deleted") {
  temporary_folder folder;
  auto store = open_in(folder);
  fill(*store, 3);
  REQUIRE(::unlink(folder.file("outbox.db").c_str()) == 0);
  CHECK_FALSE(store->commit(one_record(4)));
  CHECK(store->found_damage());
}

// Goal: a newer program's file is left alone, and the error says so.
TEST_CASE("sqlite outbox store refuses a newer file without touching it") {
  temporary_folder folder;
  fill(*open_in(folder), 1);
  {
    auto db = sqlite_db::open(folder.file("outbox.db"));
    REQUIRE(db);
    REQUIRE(db->exec("PRAGMA user_version=99"));
    REQUIRE(db->checkpoint());
  }
  const std::string before = read_file(folder.file("outbox.db"));
  auto store = open_in(folder);
  const auto state = store->load();
  REQUIRE_FALSE(state);
  CHECK(state.error().code == errc::storage_version);
  store.reset();
  CHECK(read_file(folder.file("outbox.db")) == before);
}

// Goal: a full file fails the commit whole, and commits go on once records are trimmed.
TEST_CASE("sqlite outbox store recovers from a full file") {
  temporary_folder folder;
  auto store = open_in(folder, 20);
  REQUIRE(store->load());
  record_seq next = 1;
  status done;
  while ((done = store->commit(one_record(next, 1500))) && next < 1000) ++next;
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_full);
  CHECK(store->load()->next == next);
  outbox_batch trim;
  trim.trim_through = next / 2;
  REQUIRE(store->commit(trim));
  CHECK(store->commit(one_record(next, 1500)));
}

// Goal: two gateways on one state folder are told apart at once, not after they have mixed their records.
TEST_CASE("sqlite outbox store belongs to one process") {
  temporary_folder folder;
  auto first = open_in(folder);
  fill(*first, 1);
  auto second = open_in(folder);
  const auto state = second->load();
  REQUIRE_FALSE(state);
  CHECK(state.error().code == errc::storage_busy);
}

}  // namespace tomoshibi::firmware
