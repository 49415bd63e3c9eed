// Goal: a damaged value is replaced in its place, what cannot be mended is told, and a mending that fails changes nothing.
#include "firmware/shell/outbox_mend.hpp"
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::firmware {
namespace {

constexpr std::string_view state_table =
    "CREATE TABLE state (next_seq INTEGER, checkpoint BLOB, checkpoint_sum INTEGER, config BLOB, config_sum INTEGER);"
    "INSERT INTO state VALUES (3, NULL, NULL, NULL, NULL);";
constexpr std::string_view records_table =
    "CREATE TABLE records (seq INTEGER PRIMARY KEY, data BLOB, sum INTEGER);"
    "INSERT INTO records VALUES (1, x'01', NULL), (2, x'02', NULL);";

sqlite_db database(std::string_view a, std::string_view b = {}, std::string_view c = {}) {
  auto db = sqlite_db::open(":memory:");
  REQUIRE(db);
  for (const std::string_view sql : {a, b, c})
    if (!sql.empty()) REQUIRE(db->exec(std::string(sql)));
  return std::move(*db);
}

}  // namespace

TEST_CASE("what is damaged is counted and replaced, each by itself") {
  for (const auto& [sql, count] : {std::pair{"UPDATE state SET next_seq = 3", 0u},
                                   std::pair{"UPDATE records SET sum = 7 WHERE seq = 2", 1u},
                                   std::pair{"UPDATE state SET checkpoint = x'05', checkpoint_sum = 7", 1u},
                                   std::pair{"UPDATE state SET config = x'05', config_sum = 7", 1u},
                                   std::pair{"UPDATE state SET config = x'05', config_sum = 7, checkpoint = x'', checkpoint_sum = 1;"
                                             "UPDATE records SET sum = 7", 4u}}) {
    CAPTURE(sql);
    sqlite_db db = database(state_table, records_table, sql);
    CHECK(mend_outbox(db).value() == count);
    CHECK(mend_outbox(db).value() == 0);
    CHECK(db.query_int("SELECT count(*) FROM records").value() == 2);
  }
}

TEST_CASE("missing records and a missing state are corrupt, missing tables an error") {
  for (const std::string_view sql : {"DELETE FROM records WHERE seq = 2", "UPDATE records SET seq = 5 WHERE seq = 2",
                                     "DELETE FROM state"}) {
    CAPTURE(sql);
    sqlite_db db = database(state_table, records_table, sql);
    const auto mended = mend_outbox(db);
    REQUIRE_FALSE(mended);
    CHECK(mended.error().code == errc::storage_corrupt);
  }
  sqlite_db no_state = database(records_table);
  CHECK_FALSE(mend_outbox(no_state));
  sqlite_db no_records = database(state_table);
  CHECK_FALSE(mend_outbox(no_records));
  sqlite_db unreadable = database(
      state_table, "CREATE VIEW records AS SELECT column1 AS seq, abs(column1) AS data, 1 AS sum "
                   "FROM (VALUES (-9223372036854775807 - 1))");
  CHECK_FALSE(mend_outbox(unreadable));
}

TEST_CASE("a mending that fails at any step is an error") {
  const std::string_view damages[] = {"UPDATE records SET sum = 7 WHERE seq = 2",
                                      "UPDATE state SET checkpoint = x'05', checkpoint_sum = 7",
                                      "UPDATE state SET config = x'05', config_sum = 7"};
  for (const std::string_view damage : damages) {
    CAPTURE(damage);
    sqlite_db db = database(state_table, records_table, damage);
    REQUIRE(db.exec("PRAGMA query_only = ON"));
    CHECK_FALSE(mend_outbox(db));
    REQUIRE(db.exec("PRAGMA query_only = OFF"));
    CHECK(mend_outbox(db).value() == 1);
  }
  sqlite_db busy = database(state_table, records_table, damages[0]);
  REQUIRE(busy.exec("BEGIN"));
  CHECK_FALSE(mend_outbox(busy));  // a change within a change
  sqlite_db view = database(state_table, "CREATE VIEW records AS SELECT 2 AS seq, x'01' AS data, 7 AS sum");
  CHECK_FALSE(mend_outbox(view));
  sqlite_db refused = database(state_table, records_table, damages[1]);  // only the commit finds what is wrong
  REQUIRE(refused.exec("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
                       "CREATE TRIGGER t AFTER UPDATE ON state BEGIN INSERT INTO c VALUES (7); END"));
  CHECK_FALSE(mend_outbox(refused));
}

TEST_CASE("an outbox whose records are missing is put aside at the start") {
  const testing::temporary_folder folder;
  const sqlite_outbox_options options{.path = folder.file("outbox.db"), .new_epoch = [] { return outbox_epoch{9}; }};
  {
    sqlite_outbox_store store(options);
    REQUIRE(store.load());
    REQUIRE(store.commit({.append = {{1, {1}}, {2, {2}}, {3, {3}}}, .trim_through = {}, .replace = {}, .checkpoint = {},
                          .config = bytes{4}}));
  }
  {
    auto db = sqlite_db::open(options.path);
    REQUIRE(db);
    REQUIRE(db->exec("DELETE FROM records WHERE seq = 2"));
  }
  sqlite_outbox_store store(options);
  const auto state = store.load();
  REQUIRE(state);
  CHECK(state->recreated);
  CHECK(state->next == 1);
}

TEST_CASE("a store that cannot be opened answers everything with an error") {
  const testing::temporary_folder folder;
  sqlite_outbox_store store({.path = folder.file("missing/outbox.db"), .new_epoch = [] { return outbox_epoch{9}; }});
  CHECK_FALSE(store.load());
  CHECK_FALSE(store.read(1, 1));
  CHECK_FALSE(store.commit({.append = {{1, {1}}}, .trim_through = {}, .replace = {}, .checkpoint = {}, .config = {}}));
}

}  // namespace tomoshibi::firmware
