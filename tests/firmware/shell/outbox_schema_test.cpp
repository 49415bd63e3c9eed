// Goal: an outbox of version 1 becomes what a fresh one is, with every record; its values have no sums and are taken as they are.
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "tests/support/schema_shape.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::firmware {
namespace {

std::string shape_of(const std::string& path) {
  auto db = sqlite_db::open(path);
  REQUIRE(db);
  return testing::shape_of(*db);
}

sqlite_outbox_options options_at(const std::string& path) {
  return {.path = path, .new_epoch = [] { return outbox_epoch{9}; }};
}

}  // namespace

TEST_CASE("an outbox of version 1 goes on") {
  const testing::temporary_folder folder;
  const std::string path = folder.file("old.db"), fresh = folder.file("fresh.db");
  {
    auto db = sqlite_db::open(path);
    REQUIRE(db);
    REQUIRE(db->exec(testing::read_file("tests/firmware/shell/outbox_schema_1.sql")));
  }
  {
    sqlite_outbox_store store(options_at(path));
    const auto state = store.load();
    REQUIRE(state);
    CHECK(state->epoch == outbox_epoch{static_cast<std::uint64_t>(-5)});
    CHECK(state->oldest == 11);
    CHECK(state->next == 14);
    CHECK(state->checkpoint == bytes{1, 2});
    CHECK(state->config == bytes{3, 4});
    CHECK_FALSE(state->recreated);
    CHECK(store.mended() == 0);
    const auto records = store.read(0, 100);
    REQUIRE(records);
    REQUIRE(records->size() == 3);
    CHECK((*records)[1].data == bytes{0xbb, 0xbb});
    REQUIRE(store.commit({.append = {{14, {1}}}, .trim_through = 11, .replace = {{12, {2}}}, .checkpoint = bytes{5}, .config = {}}));
  }
  {
    sqlite_outbox_store store(options_at(path));
    CHECK(store.load()->oldest == 12);
    CHECK(store.read(0, 100)->size() == 3);
  }
  REQUIRE(sqlite_outbox_store(options_at(fresh)).load());
  CHECK(shape_of(path) == shape_of(fresh));
}

}  // namespace tomoshibi::firmware
