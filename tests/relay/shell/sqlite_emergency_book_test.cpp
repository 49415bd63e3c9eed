// Goal: a relay can take presses whatever has become of emergency.db: damaged, foreign, or on a disk that others have filled.
#include "relay/shell/sqlite_emergency_book.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/fault_disk/disk.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

press_row press(std::uint64_t id) {
  return {.id = press_id{id}, .home = home_id{1}, .gateway = *gateway_id::parse("box-1"), .known = wall_from_ms(1'790'000'000'000)};
}

std::size_t open_presses(sqlite_emergency_book& book) { return book.load().value().presses.size(); }

}  // namespace

TEST_CASE("a damaged file is put aside, a new one begun, and that is told once") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  REQUIRE(sqlite_emergency_book::open(path).value()->commit({press(1)}));
  auto content = testing::read_file(path);
  for (std::size_t at = 100; at < content.size(); at += 7) content[at] = static_cast<char>(content[at] ^ 0x55);
  testing::write_file(path, content);
  std::filesystem::remove(path + "-wal");
  auto book = sqlite_emergency_book::open(path).value();
  const auto s = book->load().value();
  CHECK(s.lost == book_loss::unreadable);
  CHECK(s.presses.empty());
  CHECK(book->load().value().lost == book_loss::none);
  CHECK(std::filesystem::exists(path + ".corrupt"));
  CHECK(book->commit({press(2)}));
}

TEST_CASE("a file that is no database, or another program's, is put aside; a newer program's is not touched") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  testing::write_file(path, std::string(10'000, 'x'));
  CHECK(sqlite_emergency_book::open(path).value()->load().value().lost == book_loss::unreadable);
  {
    auto db = sqlite_db::open(folder.file("foreign.db")).value();
    REQUIRE(db.exec("PRAGMA application_id=77; CREATE TABLE t (x); PRAGMA user_version=1"));
  }
  CHECK(sqlite_emergency_book::open(folder.file("foreign.db")).value()->load().value().lost == book_loss::unreadable);
  {
    auto db = sqlite_db::open(path).value();
    REQUIRE(db.exec("PRAGMA user_version=99"));
  }
  const auto newer = sqlite_emergency_book::open(path);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == errc::storage_version);
}

// Found by deleting and emptying the files: the relay began anew without a word, and a request for a visit was lost.
TEST_CASE("a book that is gone, emptied, exchanged or without its log is told once") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  const auto opened = [&](const std::string& mark) { return sqlite_emergency_book::open(path, {.mark = mark}).value(); };
  const auto loss = [&](const std::string& mark) { return opened(mark)->load().value().lost; };
  const std::string mark = opened("")->mark();
  CHECK(mark.size() == 32);
  CHECK(loss(mark) == book_loss::none);
  CHECK(loss("") == book_loss::none);          // a relay.db from before there was a mark
  SECTION("gone") {
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-wal");
    const auto book = opened(mark);
    CHECK(book->load().value().lost == book_loss::missing);
    CHECK(book->load().value().lost == book_loss::none);
    CHECK(book->mark() != mark);
  }
  SECTION("the file is gone, its log is not") {
    std::filesystem::remove(path);
    CHECK(loss(mark) != book_loss::none);
  }
  SECTION("emptied") {
    std::filesystem::resize_file(path, 0);
    CHECK(loss(mark) == book_loss::missing);
  }
  SECTION("exchanged") {
    CHECK(loss(std::string(32, '0')) == book_loss::another);
    CHECK(loss(mark) == book_loss::none);
  }
  SECTION("without its log") {
    std::filesystem::remove(path + "-wal");
    CHECK(loss(mark) == book_loss::log_missing);
    CHECK(loss(mark) == book_loss::none);
  }
  SECTION("a copy has no log, and misses none") {
    {
      auto db = sqlite_db::open(path, {.create = false}).value();
      REQUIRE(db.backup_to(folder.file("copy.db")));
    }
    {
      auto copy = sqlite_db::open(folder.file("copy.db"), {.create = false}).value();
      REQUIRE(sqlite_emergency_book::log_leaves(copy));
    }
    CHECK(sqlite_emergency_book::open(folder.file("copy.db"), {.mark = mark}).value()->load().value().lost == book_loss::none);
  }
}

TEST_CASE("a file that is emptied while it is in use takes nothing more") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  auto book = sqlite_emergency_book::open(path).value();
  REQUIRE(book->commit({press(1)}));
  std::filesystem::resize_file(path, 0);
  const auto refused = book->commit({press(2)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::storage_corrupt);
}

TEST_CASE("tomoshibi-ctl reads beside the relay, and makes no file") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  CHECK(sqlite_emergency_book::open(path, {.read_only = true}).error().code == errc::not_found);
  auto book = sqlite_emergency_book::open(path).value();
  REQUIRE(book->commit({press(1)}));
  auto beside = sqlite_emergency_book::open(path, {.read_only = true}).value();
  CHECK(open_presses(*beside) == 1);
  REQUIRE(book->commit({press(2)}));
  CHECK(open_presses(*beside) == 2);
  CHECK_FALSE(beside->commit({press(3)}));
}

TEST_CASE("a disk that others have filled still takes a thousand presses") {
  fault_disk::disk on;
  auto book = sqlite_emergency_book::open("/emergency.db", {.files = &on}).value();
  REQUIRE(book->reserved());
  on.capacity = 0;
  for (const auto& file : on.paths()) on.capacity += on.content(file)->size();
  for (std::uint64_t id = 1; id <= 1'000; ++id) REQUIRE(book->commit({press(id)}));
  CHECK(open_presses(*book) == 1'000);
}

TEST_CASE("a commit does not move the log: rest() does, when all is calm or the log is long; and the log never outgrows its room") {
  testing::temporary_folder folder;
  const auto path = folder.file("emergency.db");
  auto book = sqlite_emergency_book::open(path).value();
  REQUIRE(book->reserved());
  const auto room = std::filesystem::file_size(path + "-wal");
  const auto written = [&path] { return std::filesystem::last_write_time(path); };
  const auto before = written();
  std::uint64_t id = 0;
  const auto commit = [&] { REQUIRE(book->commit({press(++id)})); };
  commit();
  book->rest(true);                        // too little to be worth it
  for (std::uint32_t pages = 0; pages < emergency_log_long - 20; pages += 5) commit();
  book->rest(false);
  CHECK(written() == before);
  book->rest(true);
  const auto moved = written();
  CHECK(moved != before);
  for (int i = 0; i < 300; ++i) {          // never calm
    commit();
    book->rest(false);
  }
  CHECK(written() != moved);
  for (int i = 0; i < 300; ++i) commit();  // and nobody lets it rest
  CHECK(std::filesystem::file_size(path + "-wal") == room);
  book.reset();
  CHECK(open_presses(*sqlite_emergency_book::open(path).value()) == id);
}
