#include "protocol/adapters/sqlite_db.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdio>
#include <sqlite3.h>
#include <sys/stat.h>

namespace tomoshibi {
namespace {

using namespace testing;

constexpr std::array<std::string_view, 3> steps = {"CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
                                                   "ALTER TABLE t ADD COLUMN w INTEGER DEFAULT 5",
                                                   "CREATE TABLE u (t INTEGER NOT NULL REFERENCES t(id))"};
constexpr sqlite_schema schema{0x1234, steps};

sqlite_db open(const std::string& path, const sqlite_options& options = {}) {
  auto db = sqlite_db::open(path, options);
  REQUIRE(db);
  return std::move(*db);
}

sqlite_db open_with_schema(const std::string& path, const sqlite_options& options = {}) {
  auto db = open(path, options);
  REQUIRE(migrate(db, schema));
  return db;
}

std::int64_t count(sqlite_db& db) {
  const auto n = db.query_int("SELECT count(*) FROM t");
  REQUIRE(n);
  return *n;
}

errc code_of(const status& s) { return s ? errc{} : s.error().code; }

}  // namespace

// Goal: every type goes in and comes out unchanged, empty and null being different.
TEST_CASE("the library is the one of the lock file, and cannot load extensions") {
  CHECK(sqlite3_libversion_number() == SQLITE_VERSION_NUMBER);
  CHECK(sqlite3_compileoption_used("OMIT_LOAD_EXTENSION") == 1);
}

TEST_CASE("values survive a round trip") {
  auto db = open(":memory:");
  REQUIRE(db.exec("CREATE TABLE t (a, b, c, d, e, f)"));
  auto insert = db.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)");
  REQUIRE(insert);
  const std::string text("a\0b", 3);
  const bytes blob{0, 255, 1};
  REQUIRE(insert->bind_all(INT64_MIN, text, blob, std::optional<int>{}, bytes{}, "").run());
  auto query = db.prepare("SELECT * FROM t");
  REQUIRE(query);
  REQUIRE(query->step().value());
  CHECK(query->int64(0) == INT64_MIN);
  CHECK(query->text(1) == text);
  CHECK(query->blob(2) == blob);
  CHECK(query->is_null(3));
  CHECK_FALSE(query->maybe_int64(3));
  CHECK(query->maybe_blob(4) == bytes{});
  CHECK(query->maybe_text(5) == "");
  CHECK_FALSE(query->step().value());
}

// Goal: a statement can be used again, also after an error, and a wrong bind is reported.
TEST_CASE("statements are used again") {
  auto db = open_with_schema(":memory:");
  auto insert = db.prepare("INSERT INTO t (id) VALUES (?)");
  REQUIRE(insert);
  REQUIRE(insert->bind_all(1).run());
  CHECK(code_of(insert->bind_all(1).run()) == errc::storage_io);  // constraint
  CHECK(code_of(insert->bind_all(2, 3).run()) == errc::storage_io);  // no such parameter
  REQUIRE(insert->bind_all(2).run());
  CHECK(db.changes() == 1);
  CHECK(db.last_insert_rowid() == 2);
  CHECK(count(db) == 2);
  CHECK_FALSE(db.prepare("SELECT 1; SELECT 2"));
  CHECK_FALSE(db.prepare(""));
  CHECK_FALSE(db.prepare("nonsense"));
  CHECK(db.query_int("SELECT 1 WHERE 0").error().code == errc::not_found);
}

// Goal: a transaction that is not committed leaves no trace; foreign keys are enforced.
TEST_CASE("transactions are all or nothing") {
  auto db = open_with_schema(":memory:");
  {
    auto change = transaction::begin(db);
    REQUIRE(change);
    REQUIRE(db.exec("INSERT INTO t (id) VALUES (1)"));
  }
  CHECK(count(db) == 0);
  auto change = transaction::begin(db);
  REQUIRE(change);
  REQUIRE(db.exec("INSERT INTO t (id) VALUES (1)"));
  REQUIRE(change->commit());
  CHECK(count(db) == 1);
  CHECK_FALSE(db.exec("INSERT INTO u VALUES (99)"));
}

TEST_CASE("nothing is written to a file that was moved or deleted") {
  const temporary_folder folder;
  const std::string path = folder.file("x.db");
  const std::string away = folder.file("away.db");
  auto db = open_with_schema(path);
  REQUIRE(::rename(path.c_str(), away.c_str()) == 0);
  SECTION("nothing is in its place") {}
  SECTION("another file is in its place") { open_with_schema(path); }
  const auto refused = transaction::begin(db);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::storage_corrupt);
  REQUIRE(::rename(away.c_str(), path.c_str()) == 0);
  CHECK(transaction::begin(db));
}

TEST_CASE("nothing is written to a file that was emptied") {
  const temporary_folder folder;
  const std::string path = folder.file("x.db");
  auto db = open_with_schema(path);
  REQUIRE(::truncate(path.c_str(), 0) == 0);
  const auto refused = transaction::begin(db);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::storage_corrupt);
  auto memory = open(":memory:");
  CHECK(transaction::begin(memory));
}

// Goal: a file is durable by default: write-ahead log, synchronous FULL, and readable by its owner only.
TEST_CASE("a file is opened durable and private") {
  const temporary_folder folder;
  auto db = open(folder.file("a.db"));
  CHECK(db.query_int("PRAGMA synchronous").value() == 2);
  auto mode = db.prepare("PRAGMA journal_mode");
  REQUIRE(mode->step().value());
  CHECK(mode->text(0) == "wal");
  CHECK(db.query_int("PRAGMA foreign_keys").value() == 1);
  struct stat found{};
  REQUIRE(::stat(folder.file("a.db").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK_FALSE(sqlite_db::open(folder.file("none.db"), {.create = false}));
  CHECK_FALSE(sqlite_db::open(folder.file("no/folder.db")));
}

// Goal: each version leads to the next; a newer file and another program's file are refused untouched.
TEST_CASE("migrations") {
  const temporary_folder folder;
  const std::string path = folder.file("a.db");
  {
    auto db = open(path);
    CHECK(migrate(db, {0x1234, std::span{steps}.first(1)}).value() == 0);
    REQUIRE(db.exec("INSERT INTO t (id) VALUES (1)"));
  }
  {
    auto db = open(path);
    CHECK(migrate(db, schema).value() == 1);
    CHECK(db.query_int("SELECT w FROM t").value() == 5);
    CHECK(migrate(db, schema).value() == 3);
    CHECK(migrate(db, {0x1234, std::span{steps}.first(2)}).error().code == errc::storage_version);
    CHECK(migrate(db, {0x9999, steps}).error().code == errc::refused);
  }
  // A step that fails leaves the version before it.
  constexpr std::array<std::string_view, 2> broken = {"CREATE TABLE a (x)", "CREATE TABLE b (x); nonsense"};
  auto db = open(folder.file("b.db"));
  CHECK_FALSE(migrate(db, {1, broken}));
  CHECK(db.query_int("PRAGMA user_version").value() == 1);
  CHECK_FALSE(db.prepare("SELECT * FROM b"));
}

// Goal: each kind of trouble has its code.
TEST_CASE("errors are told apart") {
  const temporary_folder folder;
  const std::string path = folder.file("a.db");
  SECTION("full") {
    auto db = open_with_schema(path, {.pages_max = 8});
    status done;
    for (int i = 0; done && i < 1000; ++i) done = db.exec("INSERT INTO t (v) VALUES (randomblob(2000))");
    CHECK(code_of(done) == errc::storage_full);
    CHECK(db.exec("DELETE FROM t"));
    CHECK(db.exec("INSERT INTO t (v) VALUES (1)"));
  }
  SECTION("busy") {
    auto first = open_with_schema(path);
    auto second = open(path, {.busy_timeout = 1ms});
    auto change = transaction::begin(first);
    REQUIRE(change);
    CHECK(transaction::begin(second).error().code == errc::storage_busy);
  }
  SECTION("exclusive") {
    auto first = open_with_schema(path, {.exclusive = true});
    REQUIRE(first.exec("INSERT INTO t (id) VALUES (1)"));
    auto second = sqlite_db::open(path, {.busy_timeout = 1ms});
    const bool busy = second ? second->query_int("SELECT count(*) FROM t").error().code == errc::storage_busy
                             : second.error().code == errc::storage_busy;
    CHECK(busy);
  }
  SECTION("not a database") {
    write_file(path, std::string(5000, 'x'));
    CHECK(sqlite_db::open(path).error().code == errc::storage_corrupt);
  }
  SECTION("damaged page") {
    {
      auto db = open_with_schema(path);
      for (int i = 0; i < 50; ++i) REQUIRE(db.exec("INSERT INTO t (v) VALUES (randomblob(1000))"));
      REQUIRE(db.quick_check());
      REQUIRE(db.integrity_check());
      REQUIRE(db.checkpoint());
    }
    std::string content = read_file(path);
    content.replace(4 * 4096, 2 * 4096, std::string(2 * 4096, '\x5a'));
    write_file(path, content);
    auto db = open(path);
    CHECK(code_of(db.quick_check()) == errc::storage_corrupt);
    CHECK(code_of(db.integrity_check()) == errc::storage_corrupt);
  }
  SECTION("read only") {
    REQUIRE(open_with_schema(path).checkpoint());
    auto db = open(path, {.read_only = true});
    CHECK(count(db) == 0);
    CHECK_FALSE(db.exec("INSERT INTO t (id) VALUES (1)"));
  }
}

// Goal: a backup taken between writes is a whole database of its own; a failed one leaves no half file.
TEST_CASE("online backup") {
  const temporary_folder folder;
  auto db = open_with_schema(folder.file("a.db"));
  {
    auto filling = transaction::begin(db);
    for (int i = 0; i < 500; ++i) REQUIRE(db.exec("INSERT INTO t (v) VALUES (randomblob(500))"));
    REQUIRE(filling->commit());
  }
  auto writer = open(folder.file("a.db"));
  auto change = transaction::begin(writer);
  REQUIRE(writer.exec("INSERT INTO t (v) VALUES (1)"));
  REQUIRE(db.backup_to(folder.file("copy.db")));
  REQUIRE(change->commit());
  auto copy = open(folder.file("copy.db"));
  CHECK(copy.integrity_check());
  CHECK(count(copy) == 500);
  CHECK(migrate(copy, schema).value() == 3);
  CHECK_FALSE(db.backup_to(folder.file("no/folder/copy.db")));
  REQUIRE(db.backup_to(folder.file("copy2.db")));
  REQUIRE(db.backup_to(folder.file("copy2.db")));  // made anew
}

// Goal: another connection's commit is seen, an own one is not.
TEST_CASE("data version") {
  const temporary_folder folder;
  auto a = open_with_schema(folder.file("a.db"));
  auto b = open(folder.file("a.db"));
  const auto before = a.data_version().value();
  REQUIRE(a.exec("INSERT INTO t (id) VALUES (1)"));
  CHECK(a.data_version().value() == before);
  REQUIRE(b.exec("INSERT INTO t (id) VALUES (2)"));
  CHECK(a.data_version().value() != before);
}

}  // namespace tomoshibi
