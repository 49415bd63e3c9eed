// Goal: what an erasure deletes of the emergency book is everything about the home and nothing about another; no table is
// forgotten; a relay that runs is not disturbed.
#include "relay/ctl/emergency_data.hpp"
#include "relay/ctl/home_data.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <fstream>
#include <sys/stat.h>

namespace tomoshibi::relay::test {
namespace {

// One row of every kind.
emergency_batch everything_about(home_id home) {
  const auto n = static_cast<std::uint32_t>(home);
  const auto box = *gateway_id::parse("box-" + std::to_string(n));
  press_row p;
  p.id = press_id{n};
  p.home = home;
  p.gateway = box;
  guard_event_row e;
  e.id = guard_event_id{n};
  e.home = home;
  e.account = "0A1" + std::to_string(n);
  emergency_mail_row m;
  m.key = {emergency_notice::press, n, contact_id{n}};
  m.home = home;
  m.body = "trace-" + std::to_string(n);
  return {p, e, m,
          watch_row{.home = home},
          trouble_row{home, box, decltype(trouble_row::kind)::button_stuck, "b", {}, {}},
          alert_row{home, appliance_id{1}, 3, {}, {}},
          dispatch_row{dispatch_id{n}, home, "who", "reason", {}, {}, {}},
          drill_row{n, home, box, {}, {}, {}, false}};
}

struct fixture {
  testing::temporary_folder folder;
  ctl::context c;
  fixture() { c.folder.path = folder.file("."); }
  void fill() {
    auto book = sqlite_emergency_book::open(c.folder.emergency_database());
    REQUIRE(book);
    for (const auto home : {home_id{1}, home_id{2}}) REQUIRE((*book)->commit(everything_about(home)));
  }
  std::string bytes_of_file() const {
    std::string all;
    for (const char* tail : {"", "-wal"}) {
      std::ifstream file(c.folder.emergency_database() + tail, std::ios::binary);
      all += std::string{std::istreambuf_iterator<char>(file), {}};
    }
    return all;
  }
};

}  // namespace

TEST_CASE("every table of the book is erased with its home") {
  fixture f;
  f.fill();
  auto db = sqlite_db::open(f.c.folder.emergency_database(), {.create = false});
  REQUIRE(db);
  auto s = db->prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                       " AND name NOT IN ('pad', 'book')");
  REQUIRE(s);
  std::size_t tables = 0;
  while (s->step().value()) {
    ++tables;
    CAPTURE(s->text(0));
    CHECK(std::ranges::any_of(ctl::emergency_home_tables(), [&](const auto& t) { return t.name == s->text(0); }));
    CHECK(db->query_int("SELECT count(*) FROM " + s->text(0)) == 2);  // a new table is noticed: it is filled here
  }
  CHECK(tables == ctl::emergency_home_tables().size());
}

TEST_CASE("an erasure leaves nothing of the home and all of the others") {
  fixture f;
  f.fill();
  CHECK(f.bytes_of_file().find("trace-1") != std::string::npos);
  REQUIRE(ctl::in_emergency_book(f.c, home_id{1}).value());
  REQUIRE(ctl::erase_from_emergency_book(f.c, home_id{1}));
  CHECK_FALSE(ctl::in_emergency_book(f.c, home_id{1}).value());
  CHECK(ctl::in_emergency_book(f.c, home_id{2}).value());
  const auto rest = f.bytes_of_file();
  for (const char* trace : {"trace-1", "0A11", "box-1"}) CHECK(rest.find(trace) == std::string::npos);
  CHECK(rest.find("trace-2") != std::string::npos);
  auto book = sqlite_emergency_book::open(f.c.folder.emergency_database());
  REQUIRE(book);
  CHECK((*book)->load()->sequences.size() == 1);
}

TEST_CASE("without a book, or without the home in it, there is nothing to do") {
  fixture f;
  CHECK(ctl::erase_from_emergency_book(f.c, home_id{1}));
  CHECK_FALSE(ctl::open_emergency_file(f.c)->has_value());
  f.fill();
  CHECK(ctl::erase_from_emergency_book(f.c, home_id{9}));
}

}  // namespace tomoshibi::relay::test
