// Goal: the disk loses what a disk may lose and nothing else. A test of a store on it means something only if a store that
// does not sync fails there.
#include "protocol/adapters/sqlite_db.hpp"
#include "tools/fault_disk/disk.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::fault_disk {
namespace {

constexpr const char* path = "/a.db";
constexpr int seeds = 40;

sqlite_db open(disk& on, bool exclusive = false) {
  auto db = sqlite_db::open(path, {.exclusive = exclusive, .busy_timeout = 1ms, .files = &on});
  REQUIRE(db);
  return std::move(*db);
}

void make_table(disk& on) {
  auto db = open(on);
  REQUIRE(db.exec("CREATE TABLE t (v)"));
  REQUIRE(db.checkpoint());
}

std::int64_t count(disk& on) {
  auto db = open(on);
  REQUIRE(db.integrity_check());
  const auto n = db.query_int("SELECT count(*) FROM t");
  REQUIRE(n);
  return *n;
}

byte_view view(const char* text) { return {reinterpret_cast<const std::uint8_t*>(text), std::string_view{text}.size()}; }
std::string text_of(const bytes* b) { return b != nullptr ? std::string(b->begin(), b->end()) : "(none)"; }

// Commits rows one by one until the power goes; the rows whose commit said "done".
std::int64_t commit_until_cut(disk& on, const char* synchronous, bool exclusive, std::uint64_t cut_before) {
  auto db = open(on, exclusive);
  REQUIRE(db.exec(std::string("PRAGMA synchronous=") + synchronous));
  on.power_off_before(cut_before);
  std::int64_t done = 0;
  while (done < 60 && db.exec("INSERT INTO t VALUES (randomblob(700))")) ++done;
  on.power_off();
  return done;
}

}  // namespace

TEST_CASE("a write is in sight at once and on the medium after a sync") {
  disk on;
  std::shared_ptr<node> file;
  REQUIRE(on.open("/f", true, file) == outcome::ok);
  REQUIRE(on.write(*file, 0, view("first")) == outcome::ok);
  REQUIRE(on.sync(*file) == outcome::ok);
  REQUIRE(on.write(*file, 0, view("other, longer")) == outcome::ok);
  CHECK(text_of(on.content("/f")) == "other, longer");
  SECTION("nothing is kept") {
    on.power_up(lose_all);
    CHECK(text_of(on.content("/f")) == "first");
  }
  SECTION("everything is kept") {
    on.power_up(keep_all);
    CHECK(text_of(on.content("/f")) == "other, longer");
  }
  SECTION("a sector is written in part") {
    on.power_up({.keep_per_mille = 0, .half_per_mille = 1000, .seed = 4});
    const auto left = text_of(on.content("/f"));
    CHECK(left != "first");
    CHECK(left != "other, longer");
  }
  SECTION("a sync that failed wrote nothing, and no later one does") {
    on.faults.arm({.only = call::sync});
    CHECK(on.sync(*file) == outcome::io);
    CHECK(on.sync(*file) == outcome::ok);
    on.power_up(keep_all);
    CHECK(text_of(on.content("/f")) == "first");
  }
}

TEST_CASE("sectors of one write are kept one by one, also the last without the first") {
  bool last_without_first = false;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    disk on;
    std::shared_ptr<node> file;
    REQUIRE(on.open("/f", true, file) == outcome::ok);
    REQUIRE(on.sync(*file) == outcome::ok);
    REQUIRE(on.write(*file, 0, bytes(2 * sector_bytes, 'x')) == outcome::ok);
    on.power_up({.keep_per_mille = 500, .half_per_mille = 0, .seed = seed});
    const bytes& left = *on.content("/f");
    last_without_first |= left.size() == 2 * sector_bytes && left.front() == 0 && left.back() == 'x';
  }
  CHECK(last_without_first);
}

TEST_CASE("names become durable in order, with the next sync of any file") {
  disk on;
  REQUIRE(on.make_private("/a"));
  REQUIRE(on.make_private("/b"));
  SECTION("not synced: gone") {
    on.power_up(lose_all);
    CHECK(on.paths().empty());
  }
  SECTION("synced: there") {
    REQUIRE(on.sync(*on.find("/b")) == outcome::ok);
    REQUIRE(on.rename("/a", "/c"));
    REQUIRE(on.remove("/b"));
    SECTION("what came after is undone") {
      on.power_up(lose_all);
      CHECK(on.paths() == std::vector<std::string>{"/a", "/b"});
    }
    SECTION("or kept") {
      on.power_up(keep_all);
      CHECK(on.paths() == std::vector<std::string>{"/c"});
    }
  }
}

TEST_CASE("the n-th call fails, of one kind or of all") {
  disk on;
  auto db = open(on);
  REQUIRE(db.exec("CREATE TABLE first (v)"));  // from here on each commit syncs once
  on.faults.arm({.nth = 2, .only = call::sync});
  CHECK(db.exec("CREATE TABLE a (v)"));
  CHECK_FALSE(db.exec("CREATE TABLE b (v)"));
  CHECK(db.exec("CREATE TABLE b (v)"));
  on.faults.arm({.nth = 1, .times = UINT64_MAX});
  CHECK_FALSE(db.exec("CREATE TABLE c (v)"));
  on.faults.heal();
  CHECK(db.exec("CREATE TABLE c (v)"));
  CHECK(on.faults.hit() > 1);
}

TEST_CASE("every kind of call is met by SQLite, and fails as an error") {
  for (const call what : every_call) {
    if (what == call::rename) continue;  // ours alone
    CAPTURE(name_of(what));
    disk on;
    make_table(on);
    on.faults.arm({.nth = 1, .times = UINT64_MAX, .only = what});
    {
      auto db = sqlite_db::open(path, {.busy_timeout = 1ms, .files = &on});
      if (db) (void)db->exec("INSERT INTO t VALUES (randomblob(100000)); DELETE FROM t; PRAGMA journal_mode=DELETE");
    }
    CHECK(on.faults.hit() > 0);
    on.faults.heal();
    CHECK(count(on) <= 1);
  }
}

TEST_CASE("a full disk is told as full, with room again it goes on") {
  disk on;
  make_table(on);
  auto db = open(on);
  on.capacity = 40'000;
  status done;
  for (int i = 0; done && i < 100; ++i) done = db.exec("INSERT INTO t VALUES (randomblob(700))");
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_full);
  on.capacity = UINT64_MAX;
  CHECK(db.exec("INSERT INTO t VALUES (1)"));
  CHECK(db.integrity_check());
}

TEST_CASE("a read-only disk refuses every write") {
  disk on;
  make_table(on);
  on.read_only = true;
  const auto db = sqlite_db::open(path, {.files = &on});
  REQUIRE_FALSE(db);
  CHECK(db.error().code == errc::storage_io);
}

TEST_CASE("damage is found") {
  disk on;
  {
    auto db = open(on);
    REQUIRE(db.exec("CREATE TABLE t (v)"));
    for (int i = 0; i < 30; ++i) REQUIRE(db.exec("INSERT INTO t VALUES (randomblob(700))"));
  }
  on.damage(path, 3 * 4096, bytes(8, 0xff));
  auto db = open(on);
  CHECK(db.quick_check().error().code == errc::storage_corrupt);
}

TEST_CASE("two connections share one write-ahead log") {
  disk on;
  auto a = open(on);
  REQUIRE(a.exec("CREATE TABLE t (v)"));
  auto b = open(on);
  CHECK(b.query_int("SELECT count(*) FROM t") == 0);
  auto change = transaction::begin(a);
  REQUIRE(a.exec("INSERT INTO t VALUES (1)"));
  CHECK(b.query_int("SELECT count(*) FROM t") == 0);
  CHECK(transaction::begin(b).error().code == errc::storage_busy);
  REQUIRE(change->commit());
  CHECK(b.query_int("SELECT count(*) FROM t") == 1);
  CHECK(transaction::begin(b));
}

TEST_CASE("synchronous FULL loses no committed row, in shared and in exclusive mode") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    disk on(seed);
    make_table(on);
    const auto done = commit_until_cut(on, "FULL", seed % 2 == 0, 1 + seed * 3);
    on.power_up(draw_tear(seed));
    const auto left = count(on);
    CHECK(left >= done);
    CHECK(left <= done + 1);
  }
}

TEST_CASE("synchronous OFF loses committed rows: the disk really forgets") {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    disk on(seed);
    make_table(on);
    const auto done = commit_until_cut(on, "OFF", seed % 2 == 0, 10 + seed);
    REQUIRE(done > 0);
    on.power_up(lose_all);
    if (count(on) < done) ++lost;
  }
  CHECK(lost == seeds);
}

TEST_CASE("what was open before a power cut never works again, and closing it changes nothing") {
  disk on;
  make_table(on);
  auto db = std::optional{open(on)};
  REQUIRE(db->exec("INSERT INTO t VALUES (1)"));
  on.power_off();
  CHECK_FALSE(db->exec("INSERT INTO t VALUES (2)"));
  on.power_up(keep_all);
  CHECK_FALSE(db->exec("INSERT INTO t VALUES (3)"));
  const auto changes = on.changes();
  db.reset();
  CHECK(on.changes() == changes);
  CHECK(count(on) == 1);
}

}  // namespace tomoshibi::fault_disk
