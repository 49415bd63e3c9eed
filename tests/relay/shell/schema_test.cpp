// Goal: a database of every released version becomes what a fresh one is, and nothing it held is lost.
#include "relay/shell/store_schema.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"
#include "tests/relay/shell/store_series.hpp"
#include "tests/support/schema_shape.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace tomoshibi::relay::test {
namespace {

sqlite_db open(const std::string& path) {
  auto db = open_store_db(path, {.create = true});
  REQUIRE(db);
  return std::move(*db);
}

}  // namespace

TEST_CASE("a database of every former version becomes a fresh one, with all it held") {
  const int version = GENERATE(1, 2);
  CAPTURE(version);
  const testing::temporary_folder folder;
  const std::string old_path = folder.file("old.db"), fresh_path = folder.file("fresh.db");
  {
    auto db = sqlite_db::open(old_path);
    REQUIRE(db);
    REQUIRE(db->exec(testing::read_file("tests/relay/shell/schema_" + std::to_string(version) + ".sql")));
    CHECK(db->query_int("PRAGMA user_version") == version);
  }
  auto old = open(old_path);
  auto fresh = open(fresh_path);
  CHECK(testing::shape_of(old) == testing::shape_of(fresh));
  REQUIRE(old.integrity_check());

  auto s = sqlite_store::open(old_path);
  REQUIRE(s);
  const auto all = (*s)->load_directory();
  REQUIRE(all);
  CHECK(all->homes.size() == 1);
  CHECK(all->appliances.size() == 1);  // one was removed; its row stays
  CHECK(all->contacts.size() == 2);
  const auto gateways = (*s)->load_gateways();
  REQUIRE(gateways);
  REQUIRE(gateways->size() == 1);
  CHECK(gateways->front().acked == 42);
  CHECK(gateways->front().epoch == outbox_epoch{static_cast<std::uint64_t>(-5)});
  CHECK(all->guards.empty());
  CHECK((*s)->load_recounts()->size() == static_cast<std::size_t>(version - 1));
  CHECK((*s)->load_devices()->size() == 1);
  CHECK((*s)->load_open_episodes()->size() == 1);
  CHECK((*s)->load_queued_mails()->size() == 1);
  CHECK((*s)->load_alive()->value() == wall_from_ms(1'710'000'000'000));
  REQUIRE((*s)->commit(random_batch(1, 1)));
  CHECK(picture_of(**s));
}

}  // namespace tomoshibi::relay::test
